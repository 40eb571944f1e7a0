//! From an expression to instructions that leave its value on the stack.
//!
//! Operators have no precedence: they are carried out from left to right, as in the language of the documents.

use std::slice::Iter;

use crate::builtin::Builtin;
use crate::compile::Builder;
use crate::fault::Code;
use crate::lex::{Token, words};
use crate::limits::Limit;
use crate::operate::Operator;
use crate::program::Op;
use crate::value::Value;

/// Values that a method can be given.
const PARAMETERS_MAX: usize = 64;

/// Compiles `text` as an expression.
pub(crate) fn value(text: &str, builder: &mut Builder<'_>) -> Result<(), Code> {
    let tokens = checked_words(text, builder)?;
    let mut reader = Reader::new(&tokens);
    reader.expression(builder, 0)?;
    reader.end()
}

/// Compiles `text` as a statement of 4DEVAL: an assignment or an expression. Returns whether it leaves a value.
pub(crate) fn statement(text: &str, builder: &mut Builder<'_>) -> Result<bool, Code> {
    let tokens = checked_words(text, builder)?;
    let is_assignment = |sign: &str| matches!(sign, ":=" | "+=" | "-=" | "*=" | "/=");
    let assigns = tokens
        .iter()
        .position(|token| matches!(token, Token::Sign(sign) if is_assignment(sign)));
    let Some(assigns) = assigns else {
        let mut reader = Reader::new(&tokens);
        reader.expression(builder, 0)?;
        reader.end()?;
        return Ok(true);
    };
    // Values are shared, so that only variables can be assigned to.
    let ([Token::Name(name)], Some((Token::Sign(sign), right))) = (
        tokens.get(..assigns).unwrap_or_default(),
        tokens.get(assigns..).and_then(<[Token]>::split_first),
    ) else {
        return Err(Code::Unavailable);
    };
    let name = builder.name(name)?;
    let operator = match *sign {
        ":=" => None,
        sign => Operator::of(sign.trim_end_matches('=')),
    };
    if operator.is_some() {
        let place = builder.place(name, Vec::new())?;
        builder.push(Op::Load(place));
    }
    let mut reader = Reader::new(right);
    reader.expression(builder, 0)?;
    reader.end()?;
    if let Some(operator) = operator {
        builder.push(Op::Binary(operator));
    }
    builder.push(Op::Assign(name));
    Ok(false)
}

/// The place of a name that stands alone, as in `4DLOOP names`.
pub(crate) fn single_name(text: &str, builder: &mut Builder<'_>) -> Result<Option<u32>, Code> {
    let tokens = checked_words(text, builder)?;
    match tokens.as_slice() {
        [Token::Name(name)] if constant(name).is_none() => {
            let name = builder.name(name)?;
            builder.place(name, Vec::new()).map(Some)
        }
        _ => Ok(None),
    }
}

fn checked_words(text: &str, builder: &Builder<'_>) -> Result<Vec<Token>, Code> {
    let bytes_max = builder.limits.expression_bytes_max;
    if text.len() > bytes_max {
        return Err(Code::Limit(Limit::ExpressionBytes(bytes_max)));
    }
    let tokens = words(text)?;
    if tokens.is_empty() {
        Err(Code::Empty)
    } else {
        Ok(tokens)
    }
}

fn constant(name: &str) -> Option<Value> {
    let known = [
        ("true", Value::Boolean(true)),
        ("false", Value::Boolean(false)),
        ("null", Value::Null),
    ];
    let mut known = known.into_iter();
    known
        .find(|(constant, _)| name.eq_ignore_ascii_case(constant))
        .map(|(_, value)| value)
}

struct Reader<'a> {
    tokens: Iter<'a, Token>,
    /// Braces that are open: an array in them stands for the number of its current element.
    braces: usize,
}

impl<'a> Reader<'a> {
    fn new(tokens: &'a [Token]) -> Self {
        Self {
            tokens: tokens.iter(),
            braces: 0,
        }
    }

    fn peek(&self) -> Option<&'a Token> {
        self.tokens.as_slice().first()
    }

    /// Takes the next word if it is `sign`.
    fn take(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Sign(next)) if *next == sign);
        if is_next {
            self.tokens.next();
        }
        is_next
    }

    fn expect(&mut self, sign: &str) -> Result<(), Code> {
        if self.take(sign) {
            Ok(())
        } else {
            Err(Code::Syntax)
        }
    }

    fn end(&self) -> Result<(), Code> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(Code::Syntax),
        }
    }

    fn expression(&mut self, builder: &mut Builder<'_>, depth: usize) -> Result<(), Code> {
        let depth_max = builder.limits.expression_depth_max;
        if depth > depth_max {
            return Err(Code::Limit(Limit::ExpressionDepth(depth_max)));
        }
        self.operand(builder, depth)?;
        while let Some(Token::Sign(sign)) = self.peek() {
            if let Some(operator) = Operator::of(sign) {
                self.tokens.next();
                self.right(operator, builder, depth)?;
            } else if matches!(*sign, "&&" | "||") {
                self.tokens.next();
                let skip = builder.push(Op::SkipIf {
                    is: *sign == "||",
                    to: 0,
                });
                self.operand(builder, depth)?;
                builder.set_target(skip);
            } else if *sign == "?" {
                self.tokens.next();
                let choose = builder.push(Op::Choose { otherwise: 0 });
                self.expression(builder, depth + 1)?;
                self.expect(":")?;
                let jump = builder.push(Op::Jump(0));
                builder.set_target(choose);
                self.expression(builder, depth + 1)?;
                builder.set_target(jump);
                return Ok(());
            } else {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The right side of `operator`. `@` stands for any text only in a literal: in what visitors wrote it is an `@`.
    fn right(
        &mut self,
        operator: Operator,
        builder: &mut Builder<'_>,
        depth: usize,
    ) -> Result<(), Code> {
        let is_negated = operator == Operator::NotEqual;
        if (is_negated || operator == Operator::Equal)
            && let Some(Token::Text(pattern)) = self.peek()
            && pattern.contains('@')
        {
            self.tokens.next();
            let pattern = builder.constant(Value::from(pattern.as_str()))?;
            builder.push(Op::Like {
                pattern,
                is_negated,
            });
            return Ok(());
        }
        self.operand(builder, depth)?;
        builder.push(Op::Binary(operator));
        Ok(())
    }

    fn operand(&mut self, builder: &mut Builder<'_>, depth: usize) -> Result<(), Code> {
        let mut minuses = 0_usize;
        while self.take("-") {
            minuses += 1;
        }
        match self.tokens.next().ok_or(Code::Empty)? {
            Token::Number(number) => self.literal(Value::Number(*number), builder)?,
            Token::Text(text) => self.literal(Value::from(text.as_str()), builder)?,
            Token::Name(name) => self.named(name, builder, depth)?,
            Token::Sign("(") => {
                self.expression(builder, depth + 1)?;
                self.expect(")")?;
            }
            // Tables stand in brackets.
            Token::Sign("[") => return Err(Code::Table),
            Token::Sign(_) | Token::Member(_) => return Err(Code::Syntax),
        }
        self.inside(builder, depth)?;
        for _ in 0..minuses {
            builder.push(Op::Negate);
        }
        Ok(())
    }

    fn literal(&self, value: Value, builder: &mut Builder<'_>) -> Result<(), Code> {
        let constant = builder.constant(value)?;
        builder.push(Op::Constant(constant));
        Ok(())
    }

    /// A constant, a command, a method with parameters, or a variable and its properties.
    fn named(&mut self, name: &str, builder: &mut Builder<'_>, depth: usize) -> Result<(), Code> {
        if self.take("(") {
            return self.called(name, builder, depth);
        }
        if let Some(value) = constant(name) {
            return self.literal(value, builder);
        }
        let name = builder.name(name)?;
        let mut members = Vec::new();
        while let Some(Token::Member(member)) = self.peek() {
            self.tokens.next();
            self.no_function()?;
            members.push(member.as_str().into());
        }
        let is_index = self.braces > 0 && members.is_empty();
        let place = builder.place(name, members)?;
        builder.push(if is_index {
            Op::LoadIndex(place)
        } else {
            Op::Load(place)
        });
        Ok(())
    }

    fn called(&mut self, name: &str, builder: &mut Builder<'_>, depth: usize) -> Result<(), Code> {
        if name.starts_with('$') {
            return Err(Code::Unavailable);
        }
        let braces = std::mem::take(&mut self.braces);
        let mut count = 0;
        if !self.take(")") {
            loop {
                self.expression(builder, depth + 1)?;
                count += 1;
                if self.take(")") {
                    break;
                }
                self.expect(";")?;
            }
        }
        self.braces = braces;
        if count > PARAMETERS_MAX {
            return Err(Code::Parameters);
        }
        let count = u16::try_from(count).map_err(|_| Code::Parameters)?;
        let op = match Builtin::named(name) {
            Some(which) if which.takes(count) => Op::Builtin { which, count },
            Some(_) => return Err(Code::Parameters),
            None => Op::Call {
                name: builder.name(name)?,
                count,
            },
        };
        builder.push(op);
        Ok(())
    }

    /// Properties and elements of what is on the stack.
    fn inside(&mut self, builder: &mut Builder<'_>, depth: usize) -> Result<(), Code> {
        loop {
            if let Some(Token::Member(member)) = self.peek() {
                self.tokens.next();
                self.no_function()?;
                let name = builder.constant(Value::from(member.as_str()))?;
                builder.push(Op::Member(name));
            } else if self.take("[") {
                let braces = std::mem::take(&mut self.braces);
                self.expression(builder, depth + 1)?;
                self.braces = braces;
                self.expect("]")?;
                builder.push(Op::Item);
            } else if self.take("{") {
                self.braces += 1;
                self.expression(builder, depth + 1)?;
                self.braces -= 1;
                self.expect("}")?;
                builder.push(Op::Element);
            } else {
                return Ok(());
            }
        }
    }

    /// Functions of objects, as `.indexOf(1)`, are not there.
    fn no_function(&self) -> Result<(), Code> {
        match self.peek() {
            Some(Token::Sign("(")) => Err(Code::Unavailable),
            _ => Ok(()),
        }
    }
}
