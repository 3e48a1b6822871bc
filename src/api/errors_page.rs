//! The page of all error codes, in both languages, made from the one table. A test keeps `docs/admin/errors*.md` in step.

use kernel::{Code, Row};
use std::fmt::Write;

/// `docs/admin/errors.md`.
pub fn errors_markdown() -> String {
    let mut text = "# Error codes\n\n\
        Every error is a problem document (RFC 9457, `application/problem+json`). Programs decide by `code`, which never changes its\n\
        meaning; people read `detail`, in the language of `Accept-Language` (en, zh); in Chinese it comes from this table, and `detail_en` has\n\
        the exact words. `request_id` ties the answer to the operator's log and to the audit entry. This page is made from the table in\n\
        the source; see also [the Chinese version](errors.zh-CN.md).\n"
        .to_owned();
    for row in Code::table() {
        let Row { name, status, kind, retryable, title_en, .. } = row;
        let retry = if *retryable { "may succeed later as it is" } else { "will fail again as it is" };
        // Writing to a text cannot fail.
        let _ = write!(
            text,
            "\n## {name}\n\n{title_en}. Status {status}; {}. The same request {retry}.\n",
            kind.advice_en()
        );
    }
    text
}

/// `docs/admin/errors.zh-CN.md`.
pub fn errors_markdown_zh() -> String {
    let mut text = "# 错误代码\n\n\
        所有错误均为问题文档（RFC 9457，`application/problem+json`）。程序依据 `code` 判断，其含义永不改变；`detail` 供人阅读，\n\
        语言随 `Accept-Language`（en、zh）：中文取自本表，`detail_en` 为英文原文。`request_id` 将应答、运维日志与审计条目对应起来。本页由源代码中的错误表生成；另见[英文版](errors.md)。\n"
        .to_owned();
    for row in Code::table() {
        let Row { name, status, kind, retryable, title_zh, .. } = row;
        let retry = if *retryable { "原样重试可能成功" } else { "原样重试仍会失败" };
        let _ = write!(text, "\n## {name}\n\n{title_zh}。状态码 {status}；{}；{retry}。\n", kind.advice_zh());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trials::golden;

    #[test]
    fn the_manual_is_in_step_with_the_table() {
        golden("../../docs/admin/errors.md", &errors_markdown());
        golden("../../docs/admin/errors.zh-CN.md", &errors_markdown_zh());
    }
}
