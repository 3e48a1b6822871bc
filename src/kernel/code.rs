//! The one public table of error codes. A code, once released, keeps its meaning for ever.
//! Adding an error means adding a row here; nothing else decides a status.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Whose turn it is when this happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The caller must change the request.
    Input,
    /// The caller must sign in, or may not.
    Access,
    /// The state has moved; look again.
    Conflict,
    /// The operator must act, or time must pass.
    Operator,
    /// A defect of ours.
    Defect,
}

impl Kind {
    /// What to do about it, as half a sentence in English.
    pub const fn advice_en(self) -> &'static str {
        match self {
            Self::Input => "change the request",
            Self::Access => "sign in, or ask for the right",
            Self::Conflict => "look again; the state has moved",
            Self::Operator => "the operator must act, or time must pass",
            Self::Defect => "a defect; tell the operator the request id",
        }
    }
    /// The same in Chinese.
    pub const fn advice_zh(self) -> &'static str {
        match self {
            Self::Input => "请修改请求",
            Self::Access => "请登录，或申请相应权限",
            Self::Conflict => "数据已变化，请重新查看",
            Self::Operator => "需由运维处理，或稍候再试",
            Self::Defect => "系统缺陷，请把请求编号告知运维",
        }
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The code itself.
    pub code: Code,
    /// Its stable name on the wire.
    pub name: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Whose turn it is.
    pub kind: Kind,
    /// Whether the same request may succeed later without a change.
    pub retryable: bool,
    /// A short title in English.
    pub title_en: &'static str,
    /// A short title in Chinese.
    pub title_zh: &'static str,
}

macro_rules! table {
    ($($variant:ident $name:literal $status:literal $kind:ident $retry:literal $en:literal $zh:literal;)*) => {
        /// A stable error code; see [`Code::row`] for its status and titles.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $en] $variant),* }
        /// All rows, in the order of the documentation.
        const TABLE: &[Row] = &[$(Row { code: Code::$variant, name: $name, status: $status, kind: Kind::$kind,
            retryable: $retry, title_en: $en, title_zh: $zh }),*];
        impl Code {
            /// The row of this code.
            pub const fn row(self) -> Row {
                match self { $(Code::$variant => Row { code: Code::$variant, name: $name, status: $status,
                    kind: Kind::$kind, retryable: $retry, title_en: $en, title_zh: $zh }),* }
            }
        }
    };
}

table! {
    // input as a whole
    BadRequest "bad_request" 400 Input false "The request cannot be read" "请求无法解析";
    JsonInvalid "json_invalid" 400 Input false "The body is not valid JSON" "请求体不是有效的 JSON";
    ParameterInvalid "parameter_invalid" 400 Input false "A parameter is not valid" "参数无效";
    CursorInvalid "cursor_invalid" 400 Input false "The page cursor is not valid for this list" "分页游标对该列表无效";
    FilterInvalid "filter_invalid" 400 Input false "The filter is not valid" "筛选条件无效";
    FieldNotFilterable "field_not_filterable" 400 Input false "This field cannot be used in that way in a filter, sort, search, group or sum" "该字段不能以这种方式筛选、排序、搜索、分组或汇总";
    LimitExceeded "limit_exceeded" 413 Input false "A limit of the appliance is exceeded" "超出系统限制";
    MediaTypeUnsupported "media_type_unsupported" 415 Input false "The media type is not supported" "不支持的媒体类型";
    RateLimited "rate_limited" 429 Operator true "Too many requests" "请求过于频繁";
    RouteNotFound "route_not_found" 404 Input false "There is no such address" "地址不存在";
    MethodNotAllowed "method_not_allowed" 405 Input false "The address does not know this method" "该地址不支持此方法";
    // values
    ValidationFailed "validation_failed" 422 Input false "Some values are not valid" "部分值无效";
    FieldUnknown "field_unknown" 422 Input false "There is no such field" "字段不存在";
    FieldRequired "field_required" 422 Input false "A required value is missing" "缺少必填值";
    FieldReadOnly "field_read_only" 422 Input false "The field is set by the appliance" "该字段由系统设置";
    ValueType "value_type" 422 Input false "The value has the wrong type" "值的类型不正确";
    ValueFormat "value_format" 422 Input false "The value has the wrong format" "值的格式不正确";
    ValueRange "value_range" 422 Input false "The value is outside the allowed range" "值超出允许范围";
    ValueTooLong "value_too_long" 422 Input false "The value is too long" "值过长";
    ValueNotAnOption "value_not_an_option" 422 Input false "The value is not one of the options" "值不在选项之中";
    ReferenceUnknown "reference_unknown" 422 Input false "The referenced record does not exist or is not visible" "引用的记录不存在或不可见";
    ValueNotUnique "value_not_unique" 409 Conflict false "Another record already has this value" "已有其他记录使用该值";
    // records
    ObjectUnknown "object_unknown" 404 Input false "There is no such object" "对象不存在";
    RelationUnknown "relation_unknown" 404 Input false "There is no such relation" "关系不存在";
    RecordNotFound "record_not_found" 404 Input false "There is no such record, or it is not visible to you" "记录不存在或对您不可见";
    AttachmentUnknown "attachment_unknown" 404 Input false "The record has no such file" "记录没有该文件";
    VersionRequired "version_required" 428 Input false "Send If-Match with the version you read" "请用 If-Match 提供所读取的版本";
    VersionConflict "version_conflict" 412 Conflict false "The record was changed by somebody else" "记录已被他人修改";
    RecordMerged "record_merged" 410 Input false "The record was merged into another" "记录已合并到其他记录";
    MergeRefused "merge_refused" 409 Conflict false "These records cannot be merged" "这些记录无法合并";
    DeleteRefused "delete_refused" 409 Conflict false "Other records depend on this one" "其他记录依赖于此记录";
    RecordLocked "record_locked" 409 Conflict true "The record is locked" "记录已锁定";
    IdempotencyMismatch "idempotency_mismatch" 422 Input false "The idempotency key was used with another body" "该幂等键已用于不同的请求体";
    PurposeRequired "purpose_required" 400 Input false "State a purpose" "请说明目的";
    ViewUnknown "view_unknown" 404 Input false "There is no such view, or it is not shared with you" "视图不存在或未与您共享";
    JobUnknown "job_unknown" 404 Input false "You have no such job" "您没有这样的作业";
    JobBusy "job_busy" 409 Conflict true "The job is still running, or too many are" "作业仍在运行，或同时运行的作业过多";
    UndoRefused "undo_refused" 409 Conflict false "This can no longer be undone" "此操作已无法撤销";
    SetNotOpen "set_not_open" 409 Conflict false "No backup set is open" "没有打开的备份集";
    RestoreRefused "restore_refused" 409 Conflict false "This cannot be brought back from the backup set" "无法从该备份集取回";
    SampleRefused "sample_refused" 409 Conflict false "The sample data cannot be loaded or removed as things stand" "目前无法载入或移除示例数据";
    // metadata
    PlanRefused "plan_refused" 422 Input false "The change has errors; nothing was changed" "变更有误，未作任何更改";
    // roles
    RoleUnknown "role_unknown" 404 Input false "There is no such role" "角色不存在";
    RoleFixed "role_fixed" 409 Conflict false "This role cannot be changed" "此角色不可更改";
    // access
    SignInRequired "sign_in_required" 401 Access false "Sign in first" "请先登录";
    SignInFailed "sign_in_failed" 401 Access false "Login or password is wrong, or the account is closed" "用户名或密码错误，或账户已停用";
    SignInDelayed "sign_in_delayed" 429 Access true "Too many failed attempts; wait before the next" "失败次数过多，请稍后再试";
    CsrfRequired "csrf_required" 403 Access false "The X-CSRF-Token header is missing or wrong" "缺少或错误的 X-CSRF-Token";
    PasswordChangeRequired "password_change_required" 403 Access false "Change your password first; somebody else set it" "请先修改密码（该密码由他人设置）";
    AccessDenied "access_denied" 403 Access false "You may not do this" "您无权执行此操作";
    FieldDenied "field_denied" 403 Access false "You may not use this field" "您无权使用此字段";
    TokenScope "token_scope" 403 Access false "The token does not cover this" "令牌权限不足";
    // appliance
    Sealed "sealed" 503 Operator true "The appliance is sealed; an operator must unseal it" "系统处于封存状态，需由管理员解封";
    UnsealFailed "unseal_failed" 403 Access false "That does not unseal this appliance" "无法用该凭据解封";
    AuditUnavailable "audit_unavailable" 503 Operator true "The audit log cannot be written, so nothing is disclosed" "审计日志无法写入，因此不提供数据";
    Unavailable "unavailable" 503 Operator true "The appliance cannot answer now" "系统暂时无法响应";
    CopyMissing "copy_missing" 503 Operator true "The second copy of what is written cannot be made" "无法写入第二份副本";
    Fenced "fenced" 503 Operator false "Another node was promoted; this one takes no writes" "另一节点已接管，本节点不再接受写入";
    SchemaUnknown "schema_unknown" 503 Operator false "The database was made by another version" "数据库由其他版本创建";
    ConfigInvalid "config_invalid" 500 Operator false "The configuration is not valid" "配置无效";
    Internal "internal" 500 Defect true "Something went wrong on the server" "服务器内部错误";
    // import
    ImportMapping "import_mapping" 422 Input false "The mapping does not fit the file" "映射与文件不符";
    ImportEncoding "import_encoding" 422 Input false "The text encoding cannot be read" "无法识别文本编码";
    ImportRow "import_row" 422 Input false "The row cannot be read" "该行无法读取";
    ReferenceAmbiguous "reference_ambiguous" 422 Input false "More than one record fits the reference" "有多条记录符合该引用";
}

impl Code {
    /// The stable name on the wire.
    pub const fn as_str(self) -> &'static str {
        self.row().name
    }
    /// The HTTP status.
    pub const fn status(self) -> u16 {
        self.row().status
    }
    /// Every row, for the documentation and the OpenAPI text.
    pub const fn table() -> &'static [Row] {
        TABLE
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let row = TABLE.iter().find(|row| row.name == name);
        row.map(|row| row.code).ok_or_else(|| D::Error::custom("there is no such error code"))
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn read(name: &str) -> Result<Code, serde::de::value::Error> {
        Code::deserialize(serde::de::value::StrDeserializer::new(name))
    }

    #[test]
    fn names_are_unique_and_titles_present() {
        let names: BTreeSet<_> = Code::table().iter().map(|row| row.name).collect();
        assert_eq!(names.len(), Code::table().len());
        assert!(Code::table().iter().all(|row| !row.title_en.is_empty() && !row.title_zh.is_empty()));
        for row in Code::table() {
            assert_eq!(read(row.name), Ok(row.code));
        }
        assert!(read("no_such_code").is_err());
        assert!(Code::table().iter().all(|row| (400..600).contains(&row.status)));
    }
}
