package result

import (
	"fmt"
)

// Messages counts what clients carried beside heartbeats: SENDs of theirs, each of which is
// acknowledged, refused or lost by the end, and publications of the nodes, each of which is delivered
// or undelivered to each client.
type Messages struct {
	Sent         int `json:"sent" early:"grows"` // were due
	Acknowledged int `json:"acknowledged" early:"grows"`
	Refused      int `json:"refused" early:"grows"` // NACK
	Lost         int `json:"lost" early:"grows"`    // the others
	Pending      int `json:"pending"`               // of those, still to be sent or waited for when the run ended
	// Doubled are SENDs that may have been handled twice, and publications that came twice. The
	// former are those that were acknowledged after they went over a second connection, whatever had
	// become of them on the first: an upper bound, for a node that is dead can't be asked.
	Doubled int `json:"doubled" early:"grows"`
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
}

// messages has the lines of what was carried.
func (s *summary) messages(m *Messages) {
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
