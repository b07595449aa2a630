package result

import (
	"fmt"
)

// Messages counts what clients carried beside heartbeats: SENDs of theirs, each of which is
// acknowledged, refused or lost by the end, and publications of the nodes, each of which is delivered
// or undelivered to each client. Where users talk to each other, a message is published to each of its addressees.
type Messages struct {
	Sent         int `json:"sent" early:"grows"` // were due
	Acknowledged int `json:"acknowledged" early:"grows"`
	Refused      int `json:"refused" early:"grows"` // NACK
	// TryLater are of the refused: code 82, the node could not find out in time. Whoever sends such a message again loses nothing.
	TryLater int `json:"try_later" early:"grows"`
	// Lost are the others; where users talk, those too that were acknowledged as delivered or durable, and are not there.
	Lost    int `json:"lost" early:"grows"`
	Pending int `json:"pending"` // of those, still to be sent or waited for when the run ended
	// Doubled are SENDs that may have been handled twice, and publications that came twice. The
	// former are those that were acknowledged after they went over a second connection, whatever had
	// become of them on the first: an upper bound, for a node that is dead can't be asked.
	// Where users talk, they are messages that one had under two names.
	Doubled int `json:"doubled" early:"grows"`
	// Durable and Held are of the acknowledged, where users talk: on a node's disk, and in its memory. The
	// others had reached a device of their addressee, or had a place in a room.
	Durable int `json:"durable" early:"grows"`
	Held    int `json:"held" early:"grows"`
	// HeldLost are of the held: they are nowhere. Nobody had promised more, so that they are not in Lost.
	HeldLost int `json:"held_lost" early:"grows"`
	// Confirmed are those whose sender knows that a device of the addressee has it: two ticks.
	Confirmed int `json:"confirmed" early:"grows"`
	// Published are the publications that were due to each client, from its first WELCOME on.
	Published   int `json:"published" early:"grows"`
	Delivered   int `json:"delivered" early:"grows"`
	Undelivered int `json:"undelivered" early:"grows"`
	Offline     int `json:"offline" early:"grows"` // of those, due while the client had no session
	// LatencyMs is from when a SEND was due until its answer was there to be read, however often it went
	// out. One without an answer took at least as long as it was waited for.
	LatencyMs *Percentiles `json:"latency_ms" early:"moves"`
	// WireLatencyMs is from the write() instead, as far as that is known: of the latest message of a client,
	// if it went out once; else it is the same. No timer of ours is in it.
	WireLatencyMs *Percentiles `json:"wire_latency_ms"`
	// DeliverLatencyMs is from when a publication was due until it was there to be read. One that did
	// not come took at least as long as it was waited for, unless its client was offline.
	DeliverLatencyMs *Percentiles `json:"deliver_latency_ms" early:"moves"`
	// ConfirmLatencyMs is from when a message was due until it was one of Confirmed.
	ConfirmLatencyMs *Percentiles `json:"confirm_latency_ms"`
}

// messages has the lines of what was carried.
func (s *summary) messages(r *Result) {
	m := r.Messages
	if r.Scenario == Talk {
		s.talk(m)
		return
	}
	if m.Sent > 0 {
		s.line("messages", "%d sent, %d acknowledged, %d refused, %d lost%s", m.Sent, m.Acknowledged, m.Refused, m.Lost,
			named(": ", map[string]int{"waited for at the end": m.Pending}))
	}
	if p := m.LatencyMs; p != nil {
		s.line("  latency", "%s ms, from due time to the answer", p.words())
	}
	if p := m.WireLatencyMs; p != nil {
		s.line("  on the wire", "%s ms, from the write to the answer", p.words())
	}
	if m.Published > 0 {
		s.line("publications", "%d due to clients, %d delivered, %d undelivered%s", m.Published, m.Delivered, m.Undelivered,
			named(": ", map[string]int{"while offline": m.Offline}))
	}
	if p := m.DeliverLatencyMs; p != nil {
		s.line("  fan-out", "%s ms, from due time to the client", p.words())
	}
	if m.Doubled > 0 {
		s.line("  doubled", "%s", fmt.Sprintf("%d came twice, or may have", m.Doubled))
	}
}

// Talk is the scenario in which users talk to each other: there its words are theirs.
const Talk = "talk"

// talk has the ledger of what users told each other.
func (s *summary) talk(m *Messages) {
	s.line("messages", "%d sent, %d acknowledged, %d refused%s, %d lost%s", m.Sent, m.Acknowledged, m.Refused, named(": ", map[string]int{"to be sent later": m.TryLater}), m.Lost,
		named(": ", map[string]int{"without an answer at the end": m.Pending}))
	if m.Acknowledged > 0 {
		s.line("  one tick", "%d on the node's disk first, %d in its memory, %d delivered at once, or said in a room", m.Durable, m.Held, m.Acknowledged-m.Durable-m.Held)
	}
	s.line("  two ticks", "%d: a device of the addressee has it, and the sender knows", m.Confirmed)
	undelivered := ""
	if m.Undelivered > 0 && m.Lost == 0 {
		undelivered = ", none of which is lost: to members of a room who were told of a gap; or their senders know, or were promised nothing"
	}
	s.line("  copies", "%d to addressees, %d delivered, %d undelivered%s", m.Published, m.Delivered, m.Undelivered, undelivered)
	if m.HeldLost > 0 {
		s.line("  held, lost", "%d that were in a node's memory alone, which promises nothing", m.HeldLost)
	}
	if m.Doubled > 0 {
		s.line("  doubled", "%d came twice, under two names", m.Doubled)
	}
	for _, l := range []struct {
		name, what string
		*Percentiles
	}{
		{"  to safe", "from due time to the answer", m.LatencyMs},
		{"  to the addressee", "from due time", m.DeliverLatencyMs},
		{"  to two ticks", "from due time", m.ConfirmLatencyMs},
	} {
		if l.Percentiles != nil {
			s.line(l.name, "%s ms, %s", l.words(), l.what)
		}
	}
}
