//! What a page may take at most.

/// What a page may take at most. Where one is exceeded, the page ends with an error text that says which.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Length of a page that is compiled, in bytes. 64 MiB; at most 4 GiB.
    pub page_bytes_max: usize,
    /// Blocks inside one another on one page: 4DIF, 4DLOOP and 4DEACH. 64.
    pub blocks_max: usize,
    /// Length of one expression, in bytes. 4096.
    pub expression_bytes_max: usize,
    /// Parentheses and indexes inside one another in an expression. 32.
    pub expression_depth_max: usize,
    /// Rounds of all loops together. 1,000,000.
    pub rounds_max: u64,
    /// Pages inside one another: included ones, and texts with tags that a tag inserted. 10.
    pub nesting_max: usize,
    /// Included pages in all. 1000.
    pub includes_max: u64,
    /// Calls of methods in all. 100,000.
    pub calls_max: u64,
    /// What is sent, in bytes. 64 MiB.
    pub output_bytes_max: u64,
    /// Texts that expressions make, all together, in bytes. 16 MiB.
    pub texts_bytes_max: u64,
    /// Names of variables, of a page and all that it includes. 10,000.
    pub variables_max: usize,
    /// Instructions that are carried out in all. 50,000,000, which takes about a second.
    pub work_max: u64,
    /// Instructions that are carried out before `run` comes back with [`Step::Pause`](crate::Step::Pause). 100,000: about 2 ms.
    pub slice: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page_bytes_max: 64 << 20,
            blocks_max: 64,
            expression_bytes_max: 4096,
            expression_depth_max: 32,
            rounds_max: 1_000_000,
            nesting_max: 10,
            includes_max: 1000,
            calls_max: 100_000,
            output_bytes_max: 64 << 20,
            texts_bytes_max: 16 << 20,
            variables_max: 10_000,
            work_max: 50_000_000,
            slice: 100_000,
        }
    }
}

/// Which limit a page exceeded, with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::blocks_max`].
    #[error("More than {0} blocks inside one another")]
    Blocks(usize),
    /// [`Limits::expression_bytes_max`].
    #[error("An expression of more than {0} bytes")]
    ExpressionBytes(usize),
    /// [`Limits::expression_depth_max`].
    #[error("More than {0} parentheses inside one another")]
    ExpressionDepth(usize),
    /// [`Limits::rounds_max`].
    #[error("More than {0} rounds of loops")]
    Rounds(u64),
    /// [`Limits::nesting_max`].
    #[error("More than {0} pages inside one another")]
    Nesting(usize),
    /// [`Limits::includes_max`].
    #[error("More than {0} included pages")]
    Includes(u64),
    /// [`Limits::calls_max`].
    #[error("More than {0} calls of methods")]
    Calls(u64),
    /// [`Limits::output_bytes_max`].
    #[error("More than {0} bytes of output")]
    Output(u64),
    /// [`Limits::texts_bytes_max`].
    #[error("More than {0} bytes of texts")]
    Texts(u64),
    /// [`Limits::variables_max`].
    #[error("More than {0} variables")]
    Variables(usize),
    /// [`Limits::work_max`].
    #[error("More than {0} instructions")]
    Work(u64),
}
