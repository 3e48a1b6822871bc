//! The bell: what was assigned to you, where you were mentioned, which of your tasks are due.

use super::handle;
use crate::call::Acting;
use crate::route::{Repeat, Route, Rule, Verb, param};
use crate::wire::{self, Answer};
use kernel::Outcome;
use records::NotificationsRequest;

pub(crate) const ROUTES: &[Route] = &[
    Route::new(
        Verb::Get,
        "/api/v1/notifications",
        "notification_list",
        "What you should look at, newest first",
        Rule::SignedIn(handle!(list)),
    )
    .query(&[
        param("unread", "boolean", "Only those you have not read."),
        param("limit", "integer", "Notifications of the page."),
        param("cursor", "string", "`next` of the page before."),
    ])
    .gives(200, "NotificationPage"),
    Route::new(
        Verb::Post,
        "/api/v1/notifications/read",
        "notification_read",
        "Mark notifications as read",
        Rule::SignedIn(handle!(read)),
    )
    .takes("NotificationsRead")
    .gives_nothing()
    .repeat(Repeat::Harmless),
];

async fn list(acting: Acting) -> Outcome<Answer> {
    let query = &acting.call.query;
    let request = NotificationsRequest {
        unread: query.flag("unread")?,
        limit: query.parsed("limit", "a whole number")?,
        cursor: query.text("cursor").map(str::to_owned),
    };
    acting.open.records.notifications_due(&acting.actor).await?;
    Answer::json(&acting.open.records.notifications(&acting.actor, request).await?)
}

async fn read(acting: Acting) -> Outcome<Answer> {
    let request = wire::json(&acting.call.body)?;
    acting.open.records.notifications_read(&acting.actor, request).await?;
    Ok(Answer::empty())
}
