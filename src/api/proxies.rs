//! Who a request really comes from when proxies of the site stand in between. Only those that the configuration names are believed; what
//! anybody else writes into the header is not looked at, so that nobody can choose the address that stands in the log.

use ipnet::IpNet;
use std::net::IpAddr;

/// The header in which each proxy adds the address it was asked from (de facto; RFC 7239 section 5.2 has the same in other words).
const HEADER: &str = "x-forwarded-for";
/// Addresses that are looked at, from the nearest: more proxies in a row than any site has.
const HOPS_MAX: usize = 16;

/// The proxies of the site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// An address such as 10.0.0.5 or a network such as 10.0.0.0/24; `None` when it is neither, or when it would be everybody.
    pub fn network(text: &str) -> Option<IpNet> {
        let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
        (network.prefix_len() > 0).then_some(network)
    }
    /// Those of these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    fn holds(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The nearest address that is no proxy of the site. `header` is what came under `X-Forwarded-For`, line after line; where
    /// it ends early or is not an address, the proxy itself is what is known.
    fn source<'h>(&self, peer: IpAddr, header: impl DoubleEndedIterator<Item = &'h str>) -> IpAddr {
        let mut known = peer.to_canonical();
        let mut hops = header.rev().flat_map(|line| line.rsplit(',')).take(HOPS_MAX);
        while self.holds(known) {
            let Some(before) = hops.next().and_then(address) else { break };
            known = before;
        }
        known
    }

    /// Who sent this request.
    pub(crate) fn source_of(&self, request: &actix_web::HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip();
        if !self.holds(peer) {
            return Some(peer);
        }
        // A proxy adds to the line that a client sent: what of it cannot be read must not hide what the proxy wrote.
        let lines: Vec<_> =
            request.headers().get_all(HEADER).map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        Some(self.source(peer, lines.iter().map(AsRef::as_ref)))
    }
}

/// One address, as proxies write it: some add the port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(address, _)| address);
    let found = bare.parse().ok().or_else(|| bare.parse::<std::net::SocketAddr>().ok().map(|found| found.ip()));
    found.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn source(proxies: &[&str], peer: &str, header: &[&str]) -> String {
        let proxies = Proxies::new(proxies.iter().map(|text| Proxies::network(text).unwrap()).collect());
        let peer: IpAddr = peer.parse().unwrap();
        if proxies.holds(peer) { proxies.source(peer, header.iter().copied()).to_string() } else { peer.to_string() }
    }

    #[test]
    fn only_the_proxies_of_the_site_are_believed() {
        let site = ["10.0.0.5", "192.168.7.0/24", "fd00::/8"];
        for (peer, header, wanted) in [
            // Nobody but them.
            ("203.0.113.9", vec!["198.51.100.1"], "203.0.113.9"),
            ("10.0.0.6", vec!["198.51.100.1"], "10.0.0.6"),
            // One proxy, and two in a row.
            ("10.0.0.5", vec!["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.5", vec!["198.51.100.1, 192.168.7.3"], "198.51.100.1"),
            ("10.0.0.5", vec!["198.51.100.1", "192.168.7.3"], "198.51.100.1"),
            // What the client wrote itself stands to the left and is passed over.
            ("10.0.0.5", vec!["127.0.0.1, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.5", vec!["10.0.0.5, 198.51.100.1"], "198.51.100.1"),
            // Nothing that could be believed: the proxy.
            ("10.0.0.5", vec![], "10.0.0.5"),
            ("10.0.0.5", vec!["unknown"], "10.0.0.5"),
            ("10.0.0.5", vec!["198.51.100.1, "], "10.0.0.5"),
            ("10.0.0.5", vec!["198.51.100.1, 192.168.7.3, _hidden"], "10.0.0.5"),
            // Ports, brackets, addresses of four bytes in sixteen.
            ("10.0.0.5", vec!["198.51.100.1:4711"], "198.51.100.1"),
            ("fd00::1", vec!["[2001:db8::7]:4711"], "2001:db8::7"),
            ("::ffff:10.0.0.5", vec!["::ffff:198.51.100.1"], "198.51.100.1"),
        ] {
            assert_eq!(source(&site, peer, &header), wanted, "{peer} {header:?}");
        }
        // A row without end ends.
        let long = vec!["10.0.0.5"; 1_000].join(",");
        assert_eq!(source(&site, "10.0.0.5", &[&long]), "10.0.0.5");
    }

    #[test]
    fn what_a_client_wrote_cannot_hide_what_the_proxy_wrote() {
        let proxies = Proxies::new(vec![Proxies::network("10.0.0.5").unwrap()]);
        let line = HeaderValue::from_bytes(b"\xff\xfe, 203.0.113.9").unwrap();
        let request = actix_web::test::TestRequest::default()
            .peer_addr("10.0.0.5:4711".parse().unwrap())
            .insert_header((HeaderName::from_static(HEADER), line))
            .to_http_request();
        assert_eq!(proxies.source_of(&request).unwrap().to_string(), "203.0.113.9");
    }

    #[test]
    fn networks_are_read_and_everybody_is_none() {
        for text in ["10.0.0.5", "10.0.0.0/8", "2001:db8::/32", "::1"] {
            assert!(Proxies::network(text).is_some(), "{text}");
        }
        for text in ["", "proxy.example.org", "10.0.0.0/33", "10.0.0.5:80", "0.0.0.0/0", "::/0"] {
            assert!(Proxies::network(text).is_none(), "{text}");
        }
    }
}
