//! Walks a template's syntax tree and reports every name that it uses, with
//! file and line, knowing which names are in scope there.
//!
//! Input: parsed files. Output: [`Event`]s in source order. Where a file
//! includes another, the walk goes on inside it with the names that are in
//! scope at that place, as rendering does. Lines above 65,535 are reported as
//! that (the parser counts no further).

use std::collections::{BTreeMap, HashSet};

use minijinja::machinery::{Span, ast};

use super::context::ROOTS;

/// What the walk came across.
pub(super) enum Event<'e> {
    /// A name, by itself; `known` if the template made it.
    Name { id: &'e str, known: bool },
    /// A field of `account`, `extra` or `links`, by a name that stands there.
    Field { root: &'e str, field: &'e str },
    /// A filter.
    Filter(&'e str),
    /// A test, as in `is defined`.
    Test(&'e str),
    /// A method of a value: of a column, or of a constant.
    Method(&'e str),
    /// A name that the template makes.
    Makes(&'e str),
    /// Another file; `None` if its name is not written out.
    File(Option<&'e str>),
    /// A block that changes escaping.
    AutoEscape,
}

/// Where it came across it.
#[derive(Clone, Copy)]
pub(super) struct At<'e> {
    pub file: &'e str,
    pub line: usize,
}

/// Parsed files by name.
pub(super) type Trees<'t> = BTreeMap<&'t str, ast::Stmt<'t>>;

/// Walks one file and what it includes.
pub(super) fn walk<'t>(trees: &'t Trees<'t>, file: &'t str, visit: &mut dyn FnMut(At<'_>, Event<'_>)) {
    let mut walk = Walk { trees, open: Vec::new(), scopes: vec![HashSet::new()], visit };
    walk.file(file);
}

struct Walk<'t, 'v> {
    trees: &'t Trees<'t>,
    /// The files that are being walked, innermost last: no file enters itself.
    open: Vec<&'t str>,
    scopes: Vec<HashSet<&'t str>>,
    visit: &'v mut dyn FnMut(At<'_>, Event<'_>),
}

impl<'t> Walk<'t, '_> {
    fn file(&mut self, name: &str) {
        if let Some((name, tree)) = self.trees.get_key_value(name)
            && !self.open.contains(name)
        {
            self.open.push(name);
            self.stmt(tree);
            self.open.pop();
        }
    }

    fn report(&mut self, span: Span, event: Event<'_>) {
        let file = self.open.last().copied().unwrap_or_default();
        (self.visit)(At { file, line: usize::from(span.start_line) }, event);
    }

    fn make(&mut self, name: &'t str, span: Span) {
        self.report(span, Event::Makes(name));
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name);
        }
    }

    fn scoped(&mut self, inner: impl FnOnce(&mut Self)) {
        self.scopes.push(HashSet::new());
        inner(self);
        self.scopes.pop();
    }

    fn stmts(&mut self, stmts: &'t [ast::Stmt<'t>]) {
        for stmt in stmts {
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &'t ast::Stmt<'t>) {
        match stmt {
            ast::Stmt::Template(s) => self.stmts(&s.children),
            ast::Stmt::EmitExpr(s) => self.expr(&s.expr),
            ast::Stmt::EmitRaw(_) => {}
            ast::Stmt::ForLoop(s) => self.for_loop(s),
            ast::Stmt::IfCond(s) => {
                self.expr(&s.expr);
                self.stmts(&s.true_body);
                self.stmts(&s.false_body);
            }
            ast::Stmt::WithBlock(s) => self.scoped(|walk| {
                for (target, value) in &s.assignments {
                    walk.expr(value);
                    walk.target(target);
                }
                walk.stmts(&s.body);
            }),
            ast::Stmt::Set(s) => {
                self.expr(&s.expr);
                self.target(&s.target);
            }
            ast::Stmt::SetBlock(s) => {
                self.scoped(|walk| walk.stmts(&s.body));
                self.exprs(&s.filter);
                self.target(&s.target);
            }
            ast::Stmt::AutoEscape(s) => {
                self.report(s.span(), Event::AutoEscape);
                self.stmts(&s.body);
            }
            ast::Stmt::FilterBlock(s) => {
                self.expr(&s.filter);
                self.scoped(|walk| walk.stmts(&s.body));
            }
            ast::Stmt::Block(s) => self.scoped(|walk| walk.stmts(&s.body)),
            ast::Stmt::Macro(s) => self.macro_decl(s, s.span()),
            ast::Stmt::CallBlock(s) => {
                self.call(&s.call);
                self.scoped(|walk| walk.macro_body(&s.macro_decl));
            }
            ast::Stmt::Do(s) => self.call(&s.call),
            ast::Stmt::Import(_) | ast::Stmt::FromImport(_) | ast::Stmt::Extends(_) | ast::Stmt::Include(_) => {
                self.other_file(stmt);
            }
        }
    }

    fn for_loop(&mut self, s: &'t ast::ForLoop<'t>) {
        self.expr(&s.iter);
        self.scoped(|walk| {
            walk.target(&s.target);
            if let Some(scope) = walk.scopes.last_mut() {
                scope.insert("loop");
            }
            walk.exprs(&s.filter_expr);
            walk.stmts(&s.body);
        });
        self.scoped(|walk| walk.stmts(&s.else_body));
    }

    fn other_file(&mut self, stmt: &'t ast::Stmt<'t>) {
        let (name, span) = match stmt {
            ast::Stmt::Import(s) => (&s.expr, s.span()),
            ast::Stmt::FromImport(s) => (&s.expr, s.span()),
            ast::Stmt::Extends(s) => (&s.name, s.span()),
            ast::Stmt::Include(s) => (&s.name, s.span()),
            _ => return,
        };
        let constant = name.as_const();
        let name = constant.as_ref().and_then(|value| value.as_str());
        self.report(span, Event::File(name));
        match stmt {
            // A module sees no names of its importer.
            ast::Stmt::Import(s) => {
                let outer = std::mem::replace(&mut self.scopes, vec![HashSet::new()]);
                self.file(name.unwrap_or_default());
                self.scopes = outer;
                self.target(&s.name);
            }
            ast::Stmt::FromImport(s) => {
                let outer = std::mem::replace(&mut self.scopes, vec![HashSet::new()]);
                self.file(name.unwrap_or_default());
                self.scopes = outer;
                for (name, alias) in &s.names {
                    self.target(alias.as_ref().unwrap_or(name));
                }
            }
            _ => self.file(name.unwrap_or_default()),
        }
    }

    fn macro_decl(&mut self, decl: &'t ast::Macro<'t>, span: Span) {
        self.make(decl.name, span);
        self.scoped(|walk| walk.macro_body(decl));
    }

    fn macro_body(&mut self, decl: &'t ast::Macro<'t>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert("caller");
        }
        self.exprs(&decl.defaults);
        for arg in &decl.args {
            self.target(arg);
        }
        self.stmts(&decl.body);
    }

    /// The left side of an assignment.
    fn target(&mut self, target: &'t ast::Expr<'t>) {
        match target {
            ast::Expr::Var(var) => self.make(var.id, var.span()),
            ast::Expr::List(list) => list.items.iter().for_each(|item| self.target(item)),
            ast::Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.target(item)),
            other => self.expr(other),
        }
    }

    fn exprs(&mut self, exprs: impl IntoIterator<Item = &'t ast::Expr<'t>>) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    fn expr(&mut self, expr: &'t ast::Expr<'t>) {
        match expr {
            ast::Expr::Var(var) => {
                let known = self.scopes.iter().any(|scope| scope.contains(var.id));
                self.report(var.span(), Event::Name { id: var.id, known });
            }
            ast::Expr::Const(_) => {}
            ast::Expr::GetAttr(s) => match &s.expr {
                ast::Expr::Var(var) if ROOTS.contains(&var.id) => {
                    self.report(s.span(), Event::Field { root: var.id, field: s.name });
                }
                other => self.expr(other),
            },
            ast::Expr::GetItem(s) => self.item(s, s.span()),
            ast::Expr::Slice(s) => {
                self.expr(&s.expr);
                self.exprs(s.start.iter().chain(&s.stop).chain(&s.step));
            }
            ast::Expr::UnaryOp(s) => self.expr(&s.expr),
            ast::Expr::BinOp(s) => self.exprs([&s.left, &s.right]),
            ast::Expr::Compare(s) => {
                self.expr(&s.expr);
                self.exprs(s.ops.iter().map(|op| &op.expr));
            }
            ast::Expr::IfExpr(s) => self.exprs([&s.test_expr, &s.true_expr].into_iter().chain(&s.false_expr)),
            ast::Expr::Filter(s) => {
                self.report(s.span(), Event::Filter(s.name));
                self.exprs(&s.expr);
                self.args(&s.args);
            }
            ast::Expr::Test(s) => {
                self.report(s.span(), Event::Test(s.name));
                self.expr(&s.expr);
                self.args(&s.args);
            }
            ast::Expr::Call(s) => {
                if let ast::CallType::Method(value, name) = s.identify_call()
                    && is_value(value)
                {
                    self.report(s.span(), Event::Method(name));
                }
                self.call(s);
            }
            ast::Expr::List(s) => self.exprs(&s.items),
            ast::Expr::Tuple(s) => self.exprs(&s.items),
            ast::Expr::Map(s) => self.exprs(s.keys.iter().chain(&s.values)),
        }
    }

    fn item(&mut self, item: &'t ast::GetItem<'t>, span: Span) {
        if let (ast::Expr::Var(var), Some(constant)) = (&item.expr, item.subscript_expr.as_const())
            && ROOTS.contains(&var.id)
            && let Some(field) = constant.as_str()
        {
            return self.report(span, Event::Field { root: var.id, field });
        }
        self.exprs([&item.expr, &item.subscript_expr]);
    }

    fn call(&mut self, call: &'t ast::Call<'t>) {
        // `self.block()` and `super()` name blocks, not variables.
        match call.identify_call() {
            ast::CallType::Block(_) | ast::CallType::Function("super") => {}
            _ => self.expr(&call.expr),
        }
        self.args(&call.args);
    }

    fn args(&mut self, args: &'t [ast::CallArg<'t>]) {
        for arg in args {
            match arg {
                ast::CallArg::Pos(expr)
                | ast::CallArg::Kwarg(_, expr)
                | ast::CallArg::PosSplat(expr)
                | ast::CallArg::KwargSplat(expr) => self.expr(expr),
            }
        }
    }
}

/// Whether it is data for certain: a column, a constant, or a piece of one.
fn is_value(expr: &ast::Expr<'_>) -> bool {
    let of = |inner: &ast::Expr<'_>| match inner {
        ast::Expr::Var(var) => ROOTS.contains(&var.id),
        inner => is_value(inner),
    };
    match expr {
        ast::Expr::Const(_) => true,
        ast::Expr::Filter(s) => s.expr.as_ref().is_some_and(is_value),
        ast::Expr::GetAttr(s) => of(&s.expr),
        ast::Expr::GetItem(s) => of(&s.expr),
        ast::Expr::Slice(s) => of(&s.expr),
        _ => false,
    }
}
