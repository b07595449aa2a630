// Package between is what hubs of one cluster say to each other, to bytes and back, and the Stream that has it
// arrive once and in order over a bus that may lose it.
//
// A body is a version, a kind and fields: a type, a length and a value each, in any order. Numbers are varints,
// and what is zero is left out. Kinds and fields that a version does not know are skipped, so that nodes of
// two versions live in one cluster. docs/CLUSTER.md has the examples.
//
// It is pure: no I/O, no clock, no chance.
package between
