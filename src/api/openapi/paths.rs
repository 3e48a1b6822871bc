//! The table of routes as OpenAPI paths.

use super::reference;
use crate::route::{self, Access, Carries, Gives, Repeat, Route};
use metadata::ObjectDef;
use serde_json::{Map, Value as Json, json};

const TAGS: [(&str, &str, &str); 21] = [
    ("session", "Sign in and out, the own password and sessions", "登录、退出、本人密码与会话"),
    ("records", "Records of all objects", "各对象的记录"),
    ("search", "Search over all objects", "跨对象搜索"),
    ("metadata", "Objects, fields, relations and their changes", "对象、字段、关系及其变更"),
    ("me", "What is kept for you", "为您本人保存的内容"),
    ("events", "Changes as they happen", "实时变更"),
    ("notifications", "What you should look at", "需要您关注的事项"),
    ("jobs", "Bulk changes that go on by themselves", "自行运行的批量修改"),
    ("tokens", "The own API tokens", "本人的 API 令牌"),
    ("users", "What security administrators do for users", "安全管理员对用户的操作"),
    ("roles", "Roles", "角色"),
    ("audit", "The log, its checkpoint, tiles and proofs", "审计日志、检查点、分块与证明"),
    ("imports", "Files that become records", "导入文件为记录"),
    ("exports", "Lists that become files", "将列表导出为文件"),
    ("system", "Unseal and health", "解封与健康状况"),
    ("settings", "Settings of the appliance", "系统设置"),
    ("setup", "The first run of the appliance", "系统首次设置"),
    ("sample", "Sample data: load and remove", "示例数据的载入与移除"),
    ("backups", "Backup sets, drills and their plan", "备份集、恢复演练与保留计划"),
    ("picks", "Looking into a backup set and bringing records back", "查看备份集并取回记录"),
    ("pages", "Outside the API: health for machines", "API 之外：供机器检查的健康状况"),
];

pub(super) fn tags() -> Vec<Json> {
    TAGS.iter().map(|(name, en, zh)| json!({"name": name, "description": en, "x-kontor-description-zh": zh})).collect()
}

/// Parameters that stand in many addresses or headers.
pub(super) fn shared_parameters() -> Json {
    json!({
        "IfMatch": {"name": "If-Match", "in": "header", "required": true, "description": "The ETag of the record as it was read, such as \"7\". 428 without, 412 when the record has moved.", "schema": {"type": "string", "pattern": "^\"[1-9][0-9]*\"$"}},
        "IdempotencyKey": {"name": "Idempotency-Key", "in": "header", "required": false, "description": "The same key with the same body gives the first answer.", "schema": {"type": "string", "minLength": 1, "maxLength": kernel::limits::IDEMPOTENCY_KEY_CHARS_MAX}},
        "Csrf": {"name": "X-CSRF-Token", "in": "header", "required": false, "description": "`csrf` of the session; needed with a session cookie, not with an API token.", "schema": {"type": "string"}},
        "FileName": {"name": "Content-Disposition", "in": "header", "required": true, "description": "The name of the file: attachment; filename*=UTF-8''name, percent-encoded (RFC 6266).", "schema": {"type": "string"}},
        "Purpose": {"name": "X-Purpose", "in": "header", "required": false, "description": "Why; it is logged.", "schema": {"type": "string", "maxLength": kernel::limits::PURPOSE_CHARS_MAX}}
    })
}

pub(super) fn shared_responses() -> Json {
    json!({"Problem": {"description": "An error; `code` says which.", "content": {"application/problem+json": {"schema": reference("Problem")}}}})
}

pub(super) fn paths(objects: &[ObjectDef]) -> Map<String, Json> {
    let mut paths: Map<String, Json> = Map::new();
    for route in route::all().filter(|route| route.is_api() || matches!(route.path, "/healthz" | "/readyz")) {
        let item = paths.entry(plain_path(route.path)).or_insert_with(|| json!({}));
        if let Json::Object(item) = item {
            item.insert(route.verb.name().to_ascii_lowercase(), operation(route, objects));
        }
    }
    paths
}

/// `{path:.*}` → `{path}`.
pub(super) fn plain_path(path: &str) -> String {
    path.split('/')
        .map(|part| match part.split_once(':') {
            Some((name, _)) if part.starts_with('{') => format!("{name}}}"),
            _ => part.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("/")
}

fn operation(route: &Route, objects: &[ObjectDef]) -> Json {
    let security = match route.access() {
        Access::SealedOk | Access::Public => json!([]),
        Access::SignedIn | Access::Act(_) => json!([{"session": []}, {"token": []}]),
    };
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.group()],
        "security": security,
        "x-kontor-access": route.access().text(),
        "parameters": parameters(route, objects),
        "responses": responses(route),
    });
    let content = match route.takes {
        Carries::Nothing => None,
        Carries::Json(schema) => Some(json!({"application/json": {"schema": reference(schema)}})),
        Carries::File => Some(json!({"application/octet-stream": {}})),
    };
    if let (Json::Object(operation), Some(content)) = (&mut operation, content) {
        operation.insert("requestBody".to_owned(), json!({"required": true, "content": content}));
    }
    operation
}

fn parameters(route: &Route, objects: &[ObjectDef]) -> Vec<Json> {
    let mut all: Vec<Json> = Vec::new();
    for name in plain_path(route.path).split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let schema = match name {
            // Of definitions any name may be asked for; records only of the objects there are.
            "object" if route.group() == "records" => {
                let names: Vec<&str> = objects.iter().map(|object| object.name.as_str()).collect();
                if names.is_empty() { json!({"type": "string"}) } else { json!({"type": "string", "enum": names}) }
            }
            "id" | "attachment" | "import" | "export" | "user" | "view" | "job" | "other" | "session" | "token" => {
                reference("Id")
            }
            "seq" | "size" => json!({"type": "integer", "minimum": 0}),
            _ => json!({"type": "string"}),
        };
        all.push(json!({"name": name, "in": "path", "required": true, "schema": schema}));
    }
    for param in route.query {
        all.push(json!({"name": param.name, "in": "query", "required": param.required, "description": param.about, "schema": {"type": param.kind}}));
    }
    let shared = |name: &str| json!({"$ref": format!("#/components/parameters/{name}")});
    if route.takes == Carries::File {
        all.push(shared("FileName"));
    }
    if route.if_match {
        all.push(shared("IfMatch"));
    }
    if route.repeat == Repeat::Remembered {
        all.push(shared("IdempotencyKey"));
    }
    let signed_in = matches!(route.access(), Access::SignedIn | Access::Act(_));
    if signed_in && route.verb.changes() {
        all.push(shared("Csrf"));
    }
    if signed_in && route.group() == "records" {
        all.push(shared("Purpose"));
    }
    all
}

fn responses(route: &Route) -> Json {
    let content = match route.gives {
        Gives::Nothing => None,
        Gives::Json(schema) => Some(json!({"application/json": {"schema": reference(schema)}})),
        Gives::Media(media) => Some(json!({media: {}})),
    };
    let mut done = json!({"description": "Done."});
    if let (Json::Object(done), Some(content)) = (&mut done, content) {
        done.insert("content".to_owned(), content);
        if route.gives == Gives::Json("Record") {
            let etag = json!({"ETag": {"description": "The version, for If-Match.", "schema": {"type": "string"}}});
            done.insert("headers".to_owned(), etag);
        }
    }
    let mut all = Map::new();
    all.insert(route.status.to_string(), done);
    all.insert("default".to_owned(), json!({"$ref": "#/components/responses/Problem"}));
    Json::Object(all)
}
