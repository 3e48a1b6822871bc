//! Networks in CIDR notation (RFC 4632, RFC 4291): where an API token may be used from.

use std::{fmt, net::IpAddr, str::FromStr};

/// A network: an address and the number of its leading bits that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

/// The text is not a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a network: write it as 10.1.0.0/16, 2001:db8::/32 or a single address, without bits after the prefix")]
pub struct CidrInvalid;

impl Cidr {
    /// Whether the address lies in this network. IPv4 in IPv6 form counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == bits(self.address)
    }
}

const fn bits(address: IpAddr) -> u128 {
    match address {
        // IPv4 sits at the top, so that one mask serves both families.
        IpAddr::V4(four) => (four.to_bits() as u128) << 96,
        IpAddr::V6(six) => six.to_bits(),
    }
}

fn masked(address: IpAddr, prefix: u8) -> u128 {
    let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
    bits(address) & mask
}

impl FromStr for Cidr {
    type Err = CidrInvalid;
    fn from_str(text: &str) -> Result<Self, CidrInvalid> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| CidrInvalid)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => most,
            // Plain digits only: "+8" and "08" are refused, so a network has one spelling.
            Some(digits)
                if digits == "0" || (!digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())) =>
            {
                digits.parse().map_err(|_| CidrInvalid)?
            }
            Some(_) => return Err(CidrInvalid),
        };
        let mapped = address.to_canonical() != address;
        if prefix > most || mapped || masked(address, prefix) != bits(address) {
            return Err(CidrInvalid);
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn table_of_networks() {
        for (network, inside, outside) in [
            ("10.1.0.0/16", "10.1.255.255", "10.2.0.0"),
            ("192.168.7.9", "192.168.7.9", "192.168.7.8"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("::/0", "2001:db8::1", "10.0.0.1"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"),
            ("10.0.0.128/25", "::ffff:10.0.0.200", "::ffff:10.0.0.100"),
            ("fe80::1/128", "fe80::1", "fe80::2"),
        ] {
            let cidr: Cidr = network.parse().unwrap();
            assert!(cidr.contains(inside.parse().unwrap()), "{network} {inside}");
            assert!(!cidr.contains(outside.parse().unwrap()), "{network} {outside}");
        }
        for text in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "::1/129",
            "x/8",
            "::ffff:10.0.0.0/104",
            "10.0.0.0/8/8",
        ] {
            assert_eq!(text.parse::<Cidr>(), Err(CidrInvalid), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_network_holds_its_own_address_and_round_trips(address in any::<u32>(), prefix in 0u8..=32) {
            let base = u32::try_from(masked(IpAddr::V4(address.into()), prefix) >> 96).unwrap();
            let cidr: Cidr = format!("{}/{prefix}", std::net::Ipv4Addr::from(base)).parse().unwrap();
            prop_assert!(cidr.contains(IpAddr::V4(address.into())));
            prop_assert_eq!(cidr.to_string().parse::<Cidr>(), Ok(cidr));
        }
    }
}
