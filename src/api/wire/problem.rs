//! Problem documents (RFC 9457): one shape for every error, its status and title from the one table of codes.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use identity::Locale;
use kernel::{Code, Fault, Kind};
use serde_json::{Map, Value as Json, json};

/// The document. Members of the fault's extension are added, but never in place of a standard one.
pub(crate) fn problem_json(fault: &Fault, locale: Locale, request_id: &str) -> Json {
    let row = fault.code.row();
    let title = match locale {
        Locale::En => row.title_en,
        Locale::Zh => row.title_zh,
    };
    let mut problem = Map::new();
    problem.insert("type".to_owned(), json!(format!("/docs/errors#{}", row.name)));
    problem.insert("title".to_owned(), json!(title));
    problem.insert("status".to_owned(), json!(row.status));
    problem.insert("code".to_owned(), json!(row.name));
    let (detail, exact) = said(fault.code, &fault.detail, locale);
    problem.insert("detail".to_owned(), json!(detail));
    if let Some(exact) = exact {
        problem.insert("detail_en".to_owned(), json!(exact));
    }
    problem.insert("request_id".to_owned(), json!(request_id));
    if !fault.items.is_empty() {
        let errors: Vec<Json> = fault
            .items
            .iter()
            .map(|item| match said(item.code, &item.detail, locale) {
                (detail, None) => json!({"pointer": item.pointer, "code": item.code, "detail": detail}),
                (detail, Some(exact)) => {
                    json!({"pointer": item.pointer, "code": item.code, "detail": detail, "detail_en": exact})
                }
            })
            .collect();
        problem.insert("errors".to_owned(), Json::Array(errors));
    }
    for (name, value) in extension(fault) {
        problem.entry(name).or_insert(value);
    }
    Json::Object(problem)
}

/// The words for a person. The exact words of an error are English; in Chinese the one table says what it is and what to do,
/// and the exact words, which name fields and limits, stand beside it.
fn said(code: Code, exact: &str, locale: Locale) -> (String, Option<&str>) {
    match locale {
        Locale::En => (exact.to_owned(), None),
        Locale::Zh => (format!("{}。{}。", code.row().title_zh, code.row().kind.advice_zh()), Some(exact)),
    }
}

fn extension(fault: &Fault) -> Map<String, Json> {
    match fault.extension.as_deref().map(serde_json::from_str) {
        Some(Ok(Json::Object(members))) => members,
        Some(_) => {
            tracing::error!(code = fault.code.as_str(), "an error has an extension that is no JSON object");
            Map::new()
        }
        None => Map::new(),
    }
}

/// The response; the cause goes to the operator's log under the same request id.
pub(crate) fn respond_problem(fault: &Fault, locale: Locale, request_id: &str) -> HttpResponse {
    let row = fault.code.row();
    match (row.kind, fault.code) {
        (Kind::Defect, _) => tracing::error!(request_id, code = row.name, cause = fault.cause(), "a request failed"),
        // These come in floods, and a flood of lines would hide what matters.
        (_, Code::RateLimited | Code::SignInDelayed | Code::Sealed) => {
            tracing::debug!(request_id, code = row.name, "refused")
        }
        (Kind::Operator, _) => {
            tracing::warn!(request_id, code = row.name, cause = fault.cause(), "a request was not served");
        }
        _ => {}
    }
    let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
    if status == StatusCode::UNAUTHORIZED {
        response.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"kontor\""));
    }
    let wait = extension(fault).get("retry_after_seconds").and_then(Json::as_u64);
    if let Some(seconds) = wait.or_else(|| (row.retryable && matches!(row.status, 429 | 503)).then_some(1)) {
        response.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    response.body(problem_json(fault, locale, request_id).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_its_members_and_no_cause() {
        let mut fault = Fault::new(Code::VersionConflict, "Read it again.").with_cause("secret").with_item(
            "/name",
            Code::ValueFormat,
            "No.",
        );
        fault.extension = Some(r#"{"current":7,"status":200,"code":"other"}"#.into());
        let problem = problem_json(&fault, Locale::Zh, "r-1");
        assert_eq!(
            problem,
            json!({"type": "/docs/errors#version_conflict", "title": "记录已被他人修改", "status": 412, "code": "version_conflict",
                "detail": "记录已被他人修改。数据已变化，请重新查看。", "detail_en": "Read it again.", "request_id": "r-1",
                "errors": [{"pointer": "/name", "code": "value_format", "detail": "值的格式不正确。请修改请求。", "detail_en": "No."}], "current": 7})
        );
        assert_eq!(
            problem_json(&Fault::internal("secret"), Locale::En, "r").get("title"),
            Some(&json!("Something went wrong on the server"))
        );
        assert!(!problem_json(&Fault::internal("secret"), Locale::En, "r").to_string().contains("secret"));
    }

    #[test]
    fn headers_say_when_to_come_back_and_how_to_sign_in() {
        let mut fault = Fault::new(Code::SignInDelayed, "Wait.");
        fault.extension = Some(r#"{"retry_after_seconds":30}"#.into());
        let header = |fault: &Fault, name| {
            let response = respond_problem(fault, Locale::En, "r");
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(header(&fault, header::RETRY_AFTER).as_deref(), Some("30"));
        assert_eq!(header(&Fault::new(Code::Sealed, "x"), header::RETRY_AFTER).as_deref(), Some("1"));
        assert_eq!(header(&Fault::new(Code::RecordLocked, "x"), header::RETRY_AFTER), None);
        assert!(header(&Fault::new(Code::SignInRequired, "x"), header::WWW_AUTHENTICATE).is_some());
        assert_eq!(header(&Fault::new(Code::AccessDenied, "x"), header::WWW_AUTHENTICATE), None);
    }
}
