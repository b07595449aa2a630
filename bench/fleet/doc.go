// Package fleet is the clients of a run: one swarm in this process, or one in each of several
// worker processes, for which Work is the main. To whoever uses it they are one.
//
// A worker that dies or hangs takes its clients with it; the fleet goes on with the others and
// remembers why (Lost).
package fleet
