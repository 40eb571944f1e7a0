//! Every setting of a web server: one table, each row through each channel, and for each setting what it does.

mod class;
mod own;
mod process;
mod table;

mod channels;
mod effects;
