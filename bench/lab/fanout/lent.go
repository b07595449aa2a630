package fanout

import "github.com/stormwheel/stormwheel/bench/lab/kit"

// What the section about clusters has in common with this one.
const (
	Room   = everybody // the room, or channel, that all are in
	Mark   = mark
	Others = hubOthers // centrifuge
)

// Crew is the members of a room at one node, in a process of their own.
type Crew struct{ *crew }

// StartCrew brings so many to a node of OfHub or of Others.
func StartCrew(subject, addr string, members int) (Crew, error) {
	c, err := startCrew(kit.Task{Step: kit.Step{Subject: subject}}, addr, members)
	return Crew{c}, err
}

// Wait waits until they have read so many marks more; 0: they count from now on.
func (c Crew) Wait(marks int) error { return c.wait(marks) }

// Close ends it.
func (c Crew) Close() { c.close() }
