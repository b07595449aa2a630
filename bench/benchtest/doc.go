// Package benchtest is what the tests of bench and of the packages below it share: servers of which the
// tests decide how they misbehave (Node, Broker, EvictingBroker, StartEcho), which also serve as child
// processes (Main); and checks that nothing is left of a run.
package benchtest
