//! A list of the newest within a scope: one walk for each owner, unit and team of the scope, along its own index in the
//! list's order, merged as the page is filled. Decides only how a list is read, never what is in it.

use crate::engine::{Cell, Sql, dialect};
use crate::order::{SortColumn, push_after};
use crate::read::{parts, push_predicate, push_private};
use crate::selection::Selection;
use crate::{ListQuery, ReadTx, StoreError};
use authz::Predicate;
use std::sync::Arc;

/// Most walks that are merged. Each costs a search of its index; past that, one walk along the order that passes over the
/// records of others is cheaper.
const ARMS_MAX: usize = 48;
/// The order that the indexes on owner, unit and team hold.
const ORDER: &str = "created_at";

impl ReadTx<'_> {
    /// The query of such a list, or `None` where it is read in another way. Only for filters that the engine
    /// decides alone: a sealed value is opened after the query, when the merge is over.
    pub(crate) fn merged(
        &mut self,
        query: &ListQuery,
        keys: &[SortColumn],
        reaches: [Option<&Predicate>; 2],
        selection: &Arc<Selection>,
        limit: usize,
    ) -> Result<Option<Sql>, StoreError> {
        let narrow: Vec<&Predicate> = reaches.into_iter().flatten().filter(|reach| !reach.is_everywhere()).collect();
        let Some((first, others)) = narrow.split_first() else { return Ok(None) };
        let arms: usize = parts(first).map(|(_, ids)| ids.len()).sum();
        let newest = matches!(keys, [key] if key.column == ORDER && key.descending);
        if !newest || query.deleted || !query.search.is_empty() || arms == 0 || arms > ARMS_MAX {
            return Ok(None);
        }
        let mut sql = Sql::new("SELECT ");
        selection.push_columns(&mut sql);
        sql.push(" FROM (");
        let columns: Vec<_> = parts(first).collect();
        let ids = columns.iter().enumerate().flat_map(|(at, (_, ids))| ids.iter().map(move |id| (at, *id)));
        for (arm, (at, id)) in ids.enumerate() {
            let Some((column, _)) = columns.get(at) else { continue };
            sql.push(if arm == 0 { "" } else { " UNION ALL " });
            // A single walk is in order by the end of the whole.
            if arms > 1 {
                dialect::push_arm_begin(self.conn, &mut sql);
            }
            sql.push("SELECT t.\"created_at\" AS \"k\", t.\"id\" AS \"i\", t.\"rid\" AS \"r\" FROM ");
            sql.ident(&query.object.name).push(" t WHERE t.\"deleted_at\" IS NULL AND t.").ident(column);
            sql.push(" = ").bind(Cell::from(id));
            // A record of a member may also be the team's: it comes by the first of them only.
            for (other, ids) in columns.iter().take(at) {
                sql.push(" AND (t.").ident(other).push(" IS NULL OR t.").ident(other).push(" NOT IN (");
                sql.binds(ids.iter().map(|id| Cell::from(*id))).push("))");
            }
            for other in others {
                push_predicate(&mut sql, other, "t");
            }
            for reach in reaches.into_iter().flatten() {
                push_private(&mut sql, reach, "t");
            }
            if let Some(filter) = &query.filter {
                sql.push(" AND ");
                self.push_filter(&mut sql, &query.object, "t", filter, None)?;
            }
            if let Some(after) = &query.after {
                push_after(&mut sql, keys, after)?;
            }
            if arms > 1 {
                dialect::push_arm_end(self.conn, &mut sql, limit);
            }
        }
        // The order of the indexes, so that nothing is sorted.
        sql.push(" ORDER BY 1 DESC NULLS LAST, 2 DESC NULLS LAST LIMIT ").number(limit).push(") m CROSS JOIN ");
        sql.ident(&query.object.name).push(" t WHERE t.\"rid\" = m.\"r\"");
        sql.push(" ORDER BY m.\"k\" DESC NULLS LAST, m.\"i\" DESC NULLS LAST").varied();
        Ok(Some(sql))
    }
}
