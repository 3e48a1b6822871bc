//! From an address to its routes. The table of routes becomes a tree once; finding one costs the length of the address,
//! not the number of routes. Never decides who may use a route.

use crate::route::Route;
use std::collections::BTreeMap;

/// The values of an address's variable parts.
#[derive(Debug, Default)]
pub(crate) struct Parts(Vec<(String, String)>);

impl Parts {
    /// The value of a part; empty when the address has no such part.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// Every address of a table, with the routes behind it.
pub(crate) struct Router(matchit::Router<Vec<&'static Route>>);

impl Router {
    /// Builds the tree. Fails when two addresses of the table could mean the same request.
    pub(crate) fn new(routes: impl Iterator<Item = &'static Route>) -> Result<Self, matchit::InsertError> {
        let mut paths: BTreeMap<&'static str, Vec<&'static Route>> = BTreeMap::new();
        for route in routes {
            paths.entry(route.path).or_default().push(route);
        }
        let mut tree = matchit::Router::new();
        for (path, routes) in paths {
            let pattern = pattern(path);
            // The rest of an address may be empty (`/app/`); the tree asks for one character at least.
            if let Some((start, _)) = pattern.split_once("{*") {
                tree.insert(start, routes.clone())?;
            }
            tree.insert(pattern, routes)?;
        }
        Ok(Self(tree))
    }

    /// The routes behind an address, one for each method it knows; none when there is no such address.
    pub(crate) fn find(&self, path: &str) -> (&[&'static Route], Parts) {
        match self.0.at(path) {
            Ok(found) => {
                let parts = found.params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                (found.value, Parts(parts))
            }
            Err(_) => (&[], Parts::default()),
        }
    }
}

/// `{path:.*}`, the rest of an address, as the tree writes it.
fn pattern(path: &str) -> String {
    match path.strip_suffix(":.*}").and_then(|start| start.rsplit_once('{')) {
        Some((start, name)) => format!("{start}{{*{name}}}"),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Router, pattern};

    #[test]
    fn every_address_of_the_table_is_found_and_others_are_not() {
        let router = Router::new(crate::route::all()).expect("no two addresses clash");
        for route in crate::route::all() {
            let address = route.path.replace(":.*}", "}");
            let (routes, _) = router.find(&address);
            assert!(routes.iter().any(|found| found.name == route.name), "{}", route.path);
        }
        for none in ["", "/api", "/api/v1", "/api/v1/records", "/api/v1/records/a/b/c/d/e", "//healthz", "/healthz/"] {
            assert!(router.find(none).0.is_empty(), "{none}");
        }
    }

    #[test]
    fn fixed_parts_win_over_variable_ones_and_values_arrive() {
        let router = Router::new(crate::route::all()).expect("no two addresses clash");
        let (routes, _) = router.find("/api/v1/records/contact/query");
        assert!(routes.iter().any(|route| route.name == "record_query"));
        let (_, parts) = router.find("/api/v1/records/contact/17/links/teams");
        assert_eq!((parts.get("object"), parts.get("id"), parts.get("relation")), ("contact", "17", "teams"));
        assert_eq!(parts.get("missing"), "");
        let (_, parts) = router.find("/api/v1/audit/tile/0/x001/067");
        assert_eq!(parts.get("path"), "0/x001/067");
        for (address, name) in [("/app", "page_app"), ("/app/", "page_app_path"), ("/docs/", "page_manual_page")] {
            assert!(router.find(address).0.iter().any(|route| route.name == name), "{address}");
        }
        assert_eq!(pattern("/docs/{path:.*}"), "/docs/{*path}");
    }
}
