//! What one request may ask for. Everything here is refused before any resolver runs, each with
//! its own `extensions.code`.
//!
//! The text is measured before it is parsed, and fragments are counted as often as they are
//! spread before anything walks them: a short text can stand for a very long query.

use super::context::Cx;
use super::errors::{
    ALIAS_LIMIT, BAD_USER_INPUT, DEPTH_LIMIT, DIRECTIVE_LIMIT, METHOD_NOT_ALLOWED, TOKEN_LIMIT, TOO_COMPLEX,
};
use crate::kernel::page::MAX_PAGE;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextValidation};
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{
    Data, Name, Number, Pos, Positioned, Request, Response, ServerError, ServerResult, ValidationResult, Value,
    Variables,
};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::Arc;

/// Levels of fields, counted from the root; introspection has its own bound.
pub const MAX_DEPTH: usize = 15;
/// Fields, each as often as it is likely to be answered: a page counts the fields of its rows once
/// per row asked for, a list inside a type once per row that such a list usually has.
pub const MAX_COMPLEXITY: usize = 100_000;
/// Aliases, each as often as its fragment is spread.
pub const MAX_ALIASES: usize = 30;
/// Directives, each as often as its fragment is spread.
pub const MAX_DIRECTIVES: usize = 30;
/// Words, numbers, texts and signs of the query; values belong into variables.
pub const MAX_TOKENS: usize = 10_000;
/// Brackets within brackets.
const MAX_BRACKETS: usize = 60;
/// Fields as written, each as often as its fragment is spread.
const MAX_FIELDS: usize = 5_000;
/// Fragments within fragments.
const MAX_SPREADS: usize = 30;
/// Lists within lists of an introspection; the usual one has types, their fields, their arguments.
const MAX_INTROSPECTION_LISTS: usize = 3;
/// Levels of an introspection; the usual one has 15.
const MAX_INTROSPECTION_DEPTH: usize = 25;

/// A refusal with its code.
fn refuse(code: &str, message: String, at: Option<Pos>) -> ServerError {
    let mut error = ServerError::new(message, at);
    error.extensions.get_or_insert_with(Default::default).set("code", code);
    error
}

/// Measures a request, parses it, and measures what it stands for.
///
/// # Errors
/// What is too much, or cannot be read.
pub fn check(request: &mut Request, may_change: bool) -> ServerResult<()> {
    if request.query.trim().is_empty() {
        return Err(refuse(
            BAD_USER_INPUT,
            "there is no query; send {\"query\": \"{ viewer { actor } }\"}".into(),
            None,
        ));
    }
    measure(&request.query)?;
    let document = parse_query(&request.query).map_err(|e| {
        let mut error = ServerError::from(e);
        error.extensions.get_or_insert_with(Default::default).set("code", BAD_USER_INPUT);
        error
    })?;
    Walk { document: &document, known: HashMap::new(), spreads: 0 }.check()?;
    pages(&document, &request.variables)?;
    one_subscription(&document)?;
    if !may_change
        && operation(&document, request.operation_name.as_deref()).is_some_and(|o| o.ty != OperationType::Query)
    {
        return Err(refuse(METHOD_NOT_ALLOWED, "only queries can be asked by GET; send this by POST".into(), None));
    }
    request.set_parsed_query(document);
    Ok(())
}

/// Whether a request that was checked is a subscription, which goes on until somebody ends it.
pub fn is_subscription(request: &mut Request) -> bool {
    let name = request.operation_name.clone();
    let Ok(document) = request.parsed_query() else { return false };
    operation(document, name.as_deref()).is_some_and(|o| o.ty == OperationType::Subscription)
}

/// Counts tokens and brackets without parsing.
fn measure(query: &str) -> ServerResult<()> {
    let mut bytes = query.bytes().peekable();
    let (mut tokens, mut open) = (0_usize, 0_usize);
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => continue,
            b'#' => {
                while bytes.next_if(|b| *b != b'\n' && *b != b'\r').is_some() {}
                continue;
            }
            b'"' => skip_text(&mut bytes),
            b'{' | b'(' | b'[' => open += 1,
            b'}' | b')' | b']' => open = open.saturating_sub(1),
            b if is_word(b) => while bytes.next_if(|b| is_word(*b)).is_some() {},
            _ => {}
        }
        tokens += 1;
        if tokens > MAX_TOKENS {
            let message = format!("the query has more than {MAX_TOKENS} tokens; put values into variables");
            return Err(refuse(TOKEN_LIMIT, message, None));
        }
        if open > MAX_BRACKETS {
            let message = format!("the query has more than {MAX_BRACKETS} brackets within brackets");
            return Err(refuse(DEPTH_LIMIT, message, None));
        }
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Skips a text whose first quote was read; `""` and `"""` begin alike.
fn skip_text(bytes: &mut std::iter::Peekable<std::str::Bytes<'_>>) {
    if bytes.next_if_eq(&b'"').is_some() {
        if bytes.next_if_eq(&b'"').is_none() {
            return;
        }
        let mut quotes = 0;
        while quotes < 3 {
            match bytes.next() {
                Some(b'"') => quotes += 1,
                Some(b'\\') => {
                    // \""" is part of a block text.
                    quotes = 0;
                    while bytes.next_if_eq(&b'"').is_some() {}
                }
                Some(_) => quotes = 0,
                None => return,
            }
        }
        return;
    }
    loop {
        match bytes.next() {
            Some(b'\\') => {
                bytes.next();
            }
            Some(b'"' | b'\n') | None => return,
            Some(_) => {}
        }
    }
}

/// What a selection stands for.
#[derive(Clone, Copy, Default)]
struct Size {
    depth: usize,
    fields: usize,
    aliases: usize,
    directives: usize,
    /// Lists within lists, as introspection names them.
    lists: usize,
    /// Fragments within fragments.
    spreads: usize,
}

impl Size {
    /// Beside another selection.
    fn and(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            fields: self.fields.saturating_add(other.fields),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
            lists: self.lists.max(other.lists),
            spreads: self.spreads.max(other.spreads),
        }
    }
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    /// Fragments measured; none while one is being measured, which is how a circle shows.
    known: HashMap<&'a Name, Option<Size>>,
    /// Fragments being measured now: the walk must not go deeper than the stack.
    spreads: usize,
}

impl<'a> Walk<'a> {
    fn check(mut self) -> ServerResult<()> {
        let document = self.document;
        // Fragments that nobody spreads are walked by the validation too.
        for fragment in document.fragments.keys() {
            let size = self.fragment(fragment, Pos::default())?;
            Self::judge(size, None)?;
        }
        for (_, operation) in document.operations.iter() {
            let mut size = self.selection(&operation.node.selection_set.node)?;
            size.directives = size.directives.saturating_add(operation.node.directives.len());
            Self::judge(size, Some(operation.pos))?;
        }
        Ok(())
    }

    fn judge(size: Size, at: Option<Pos>) -> ServerResult<()> {
        let too_much = |what: &str, given: usize, max: usize| {
            let given = if given > 1_000_000 { "far more".to_owned() } else { given.to_string() };
            format!("the query has {given} {what} where {max} are allowed; ask in several requests")
        };
        let refusal = if size.depth > MAX_DEPTH {
            (DEPTH_LIMIT, too_much("levels", size.depth, MAX_DEPTH))
        } else if size.aliases > MAX_ALIASES {
            (ALIAS_LIMIT, too_much("aliases", size.aliases, MAX_ALIASES))
        } else if size.directives > MAX_DIRECTIVES {
            (DIRECTIVE_LIMIT, too_much("directives", size.directives, MAX_DIRECTIVES))
        } else if size.fields > MAX_FIELDS {
            (TOO_COMPLEX, too_much("fields", size.fields, MAX_FIELDS))
        } else {
            return Ok(());
        };
        Err(refuse(refusal.0, refusal.1, at))
    }

    fn selection(&mut self, set: &'a SelectionSet) -> ServerResult<Size> {
        let mut size = Size::default();
        for item in &set.items {
            let mut part = match &item.node {
                Selection::Field(field) => self.field(&field.node, item.pos)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, item.pos)?,
                Selection::InlineFragment(inline) => self.selection(&inline.node.selection_set.node)?,
            };
            part.directives = part.directives.saturating_add(item.node.directives().len());
            size = size.and(part);
        }
        Ok(size)
    }

    fn field(&mut self, field: &'a Field, at: Pos) -> ServerResult<Size> {
        let mut size = self.selection(&field.selection_set.node)?;
        size.depth += 1;
        size.fields = size.fields.saturating_add(1);
        size.aliases = size.aliases.saturating_add(usize::from(field.alias.is_some()));
        let name = field.name.node.as_str();
        if matches!(name, "__schema" | "__type") {
            if size.lists > MAX_INTROSPECTION_LISTS || size.depth > MAX_INTROSPECTION_DEPTH {
                let message = "the introspection goes deeper than types, their fields and their arguments".to_owned();
                return Err(refuse(DEPTH_LIMIT, message, Some(at)));
            }
            size.depth = 1;
            size.lists = 0;
        }
        let is_list = matches!(
            name,
            "types" | "fields" | "inputFields" | "args" | "interfaces" | "possibleTypes" | "enumValues" | "directives"
        );
        size.lists += usize::from(is_list);
        Ok(size)
    }

    fn fragment(&mut self, name: &'a Name, at: Pos) -> ServerResult<Size> {
        match self.known.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                let message = format!("fragment {name} spreads itself; break the circle");
                return Err(refuse(BAD_USER_INPUT, message, Some(at)));
            }
            None => {}
        }
        // The validation names fragments that do not exist.
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(Size::default()) };
        let too_deep = || refuse(DEPTH_LIMIT, format!("more than {MAX_SPREADS} fragments within fragments"), Some(at));
        if self.spreads > MAX_SPREADS {
            return Err(too_deep());
        }
        self.known.insert(name, None);
        self.spreads += 1;
        let mut size = self.selection(&fragment.node.selection_set.node)?;
        self.spreads -= 1;
        size.spreads += 1;
        if size.spreads > MAX_SPREADS {
            return Err(too_deep());
        }
        size.directives = size.directives.saturating_add(fragment.node.directives.len());
        self.known.insert(name, Some(size));
        Ok(size)
    }
}

/// Refuses pages that are not 1 to 500 rows.
fn pages(document: &ExecutableDocument, variables: &Variables) -> ServerResult<()> {
    let defaults: Vec<(&Name, &Value)> = document
        .operations
        .iter()
        .flat_map(|(_, o)| &o.node.variable_definitions)
        .filter_map(|d| d.node.default_value.as_ref().map(|v| (&d.node.name.node, &v.node)))
        .collect();
    let variable = |name: Name| {
        let default = || defaults.iter().find(|(known, _)| **known == name).map(|(_, value)| *value);
        variables.get(&name).or_else(default).cloned().ok_or(())
    };
    let mut sets: Vec<&SelectionSet> = document.operations.iter().map(|(_, o)| &o.node.selection_set.node).collect();
    sets.extend(document.fragments.values().map(|f| &f.node.selection_set.node));
    while let Some(set) = sets.pop() {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    for (name, value) in &field.node.arguments {
                        if !matches!(name.node.as_str(), "first" | "last") {
                            continue;
                        }
                        if let Ok(Value::Number(given)) = value.node.clone().into_const_with(variable) {
                            page(name, &given)?;
                        }
                    }
                    sets.push(&field.node.selection_set.node);
                }
                Selection::InlineFragment(inline) => sets.push(&inline.node.selection_set.node),
                Selection::FragmentSpread(_) => {}
            }
        }
    }
    Ok(())
}

fn page(name: &Positioned<Name>, given: &Number) -> ServerResult<()> {
    if !given.as_i64().is_some_and(|n| (1..=i64::from(MAX_PAGE)).contains(&n)) {
        let message = format!("{} is {given}; give 1 to {MAX_PAGE}", name.node);
        return Err(refuse(BAD_USER_INPUT, message, Some(name.pos)));
    }
    Ok(())
}

/// Refuses subscriptions to several things at once, as the GraphQL specification does: each is
/// counted, and ended, by itself.
fn one_subscription(document: &ExecutableDocument) -> ServerResult<()> {
    for (_, operation) in document.operations.iter() {
        if operation.node.ty != OperationType::Subscription {
            continue;
        }
        let mut sets = vec![&operation.node.selection_set.node];
        let mut fields = 0_usize;
        while let Some(set) = sets.pop() {
            for item in &set.items {
                match &item.node {
                    Selection::Field(_) => fields += 1,
                    Selection::InlineFragment(inline) => sets.push(&inline.node.selection_set.node),
                    // No circles any more: the walk before has refused them.
                    Selection::FragmentSpread(spread) => sets.extend(
                        document.fragments.get(&spread.node.fragment_name.node).map(|f| &f.node.selection_set.node),
                    ),
                }
            }
        }
        if fields > 1 {
            let message = "a subscription has one field; subscribe several times".to_owned();
            return Err(refuse(BAD_USER_INPUT, message, Some(operation.pos)));
        }
    }
    Ok(())
}

/// The operation that is to run, if the request names one that exists.
fn operation<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(&operation.node),
        (DocumentOperations::Single(_), Some(_)) => None,
        (DocumentOperations::Multiple(all), Some(name)) => all.get(name).map(|o| &o.node),
        (DocumentOperations::Multiple(all), None) => match all.len() {
            1 => all.values().next().map(|o| &o.node),
            _ => None,
        },
    }
}

/// Refuses what costs too much, and remembers when resolvers begin.
pub struct Limits;

impl ExtensionFactory for Limits {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Guard)
    }
}

struct Guard;

#[async_trait]
impl Extension for Guard {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(ctx).await?;
        if result.complexity > MAX_COMPLEXITY {
            let message = format!(
                "the query may answer {} fields where {MAX_COMPLEXITY} are allowed; ask for fewer rows (first) or fields",
                result.complexity
            );
            return Err(vec![refuse(TOO_COMPLEX, message, None)]);
        }
        Ok(result)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        if let Some(cx) = ctx.data_opt::<Arc<Cx>>() {
            cx.begin();
            if let Some(fresh) = cx.again() {
                fresh.begin();
                let mut data = Data::default();
                data.insert(Arc::new(fresh));
                return next.run_with_data(ctx, operation_name, data).await;
            }
        }
        next.run(ctx, operation_name).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(query: &str) -> String {
        let variables = Variables::from_json(serde_json::json!({"n": 501}));
        match check(&mut Request::new(query).variables(variables), true) {
            Ok(()) => "ok".into(),
            Err(e) => match e.extensions.as_ref().and_then(|x| x.get("code")) {
                Some(Value::String(code)) => code.clone(),
                _ => "no code".into(),
            },
        }
    }

    /// `{ a { a { … } } }` with so many levels.
    fn nested(levels: usize) -> String {
        format!("{}a{}", "{ a ".repeat(levels - 1) + "{ ", " }".repeat(levels))
    }

    #[test]
    fn what_is_within_the_limits_passes() {
        assert_eq!(code("query Q($first: Int) { devices(first: $first) { nodes { id } } }"), "ok");
        assert_eq!(code(&nested(MAX_DEPTH)), "ok");
        assert_eq!(code(&format!("{{ {} }}", "a: viewer ".repeat(MAX_ALIASES))), "ok");
        assert_eq!(code(r#"{ a(text: "{{{{ \" # ( ", block: """ {{ " "" """) }"#), "ok");
    }

    #[test]
    fn every_limit_has_its_code() {
        assert_eq!(code(&nested(MAX_DEPTH + 1)), DEPTH_LIMIT);
        assert_eq!(code(&nested(1_000)), DEPTH_LIMIT);
        assert_eq!(code(&format!("{{ a(b: {}1{}) }}", "[".repeat(10_000), "]".repeat(10_000))), DEPTH_LIMIT);
        assert_eq!(code(&format!("{{ {} }}", "a: viewer ".repeat(MAX_ALIASES + 1))), ALIAS_LIMIT);
        assert_eq!(code(&format!("{{ a {} }}", "@skip(if: false) ".repeat(MAX_DIRECTIVES + 1))), DIRECTIVE_LIMIT);
        assert_eq!(code(&format!("{{ {} }}", "a ".repeat(MAX_TOKENS))), TOKEN_LIMIT);
        assert_eq!(code(&format!("{{ {} }}", "a ".repeat(MAX_FIELDS + 1))), TOO_COMPLEX);
        assert_eq!(code(""), BAD_USER_INPUT);
        assert_eq!(code("{ devices("), BAD_USER_INPUT);
    }

    #[test]
    fn pages_are_1_to_500_rows_wherever_the_number_comes_from() {
        for query in [
            "{ devices(first: -1) { nodes { id } } }",
            "{ devices(first: 0) { nodes { id } } }",
            "{ devices(last: 501) { nodes { id } } }",
            "{ devices(first: 99999999999) { nodes { id } } }",
            "query Q($n: Int) { devices(first: $n) { nodes { id } } }",
            "query Q($m: Int = 501) { ...F } fragment F on Query { devices(first: $m) { nodes { id } } }",
        ] {
            assert_eq!(code(query), BAD_USER_INPUT, "{query}");
        }
        assert_eq!(code("{ devices(first: 500) { nodes { id } } }"), "ok");
    }

    #[test]
    fn a_short_text_that_stands_for_a_long_query_is_refused() {
        let mut bomb = "{ ...F0 }".to_owned();
        for n in 0..20 {
            bomb.push_str(&format!(" fragment F{n} on Query {{ ...F{m} ...F{m} }}", m = n + 1));
        }
        bomb.push_str(" fragment F20 on Query { viewer { actor } }");
        assert_eq!(code(&bomb), TOO_COMPLEX);
        let mut chain = "{ ...F0 }".to_owned();
        for n in 0..900 {
            chain.push_str(&format!(" fragment F{n} on Query {{ ...F{} }}", n + 1));
        }
        assert_eq!(code(&chain), DEPTH_LIMIT);
        assert_eq!(code("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A ...A }"), BAD_USER_INPUT);
    }

    #[test]
    fn the_usual_introspection_passes_and_a_deeper_one_does_not() {
        let of_type = "ofType { kind name ".repeat(9) + &"}".repeat(9);
        let usual = format!(
            "{{ __schema {{ types {{ kind fields {{ args {{ type {{ kind {of_type} }} }} }} }} directives {{ args {{ name }} }} }} }}"
        );
        assert_eq!(code(&usual), "ok");
        let deep = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
        assert_eq!(code(deep), DEPTH_LIMIT);
    }

    #[test]
    fn a_subscription_has_one_field() {
        let one = "subscription { maintenanceChanged { kind } }";
        assert_eq!(code(one), "ok");
        assert_eq!(code("subscription { ...F } fragment F on Subscription { maintenanceChanged { kind } }"), "ok");
        for several in [
            "subscription { maintenanceChanged { kind } again: maintenanceChanged { kind } }",
            "subscription { ...F ... { maintenanceChanged { at } } }
             fragment F on Subscription { maintenanceChanged { kind } }",
        ] {
            assert_eq!(code(several), BAD_USER_INPUT, "{several}");
        }
    }

    #[test]
    fn a_get_changes_nothing() {
        let mut request = Request::new("mutation { runPlanner(input: {}) { userErrors { code } } }");
        assert!(check(&mut request, false).is_err());
        assert!(check(&mut request, true).is_ok());
    }
}
