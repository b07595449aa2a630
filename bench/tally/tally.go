package tally

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// Tally is what is known when a swarm has finished. Its fields are public for gob.
type Tally struct {
	Counters    Counters
	Storm       Storm
	Cohorts     []Storm // its parts, if there are cohorts
	Probes      *Probes
	Ready, Peak int
	RTT         *Hist
	RTTActual   *Hist
	RTTIntended *Hist
	Connect     *Hist
	// ConnectIntended is from the intended arrival.
	ConnectIntended *Hist
	Away            *Hist // without a session, from its loss to the next WELCOME, or to the end
	Late            *Hist
	Lateness        *Hist
	// Messages and Deliveries are from the due time of a message, to its answer and to its client, and
	// MessagesWire from its write(); nil of a run that carries none.
	Messages, MessagesWire, Deliveries *Hist
	Confirmations                      *Hist   // from the due time until the sender knew that the addressee has it; nil of a run in which nobody talks
	Ledger                             *Ledger // nil of such a run, and when it is settled
	// Rest are the times since the seconds were last told: of the PINGs that nobody waits for any more.
	Rest *Recent
}

// New is empty.
func New() Tally {
	return Tally{Storm: NewStorm(), Probes: NewProbes(),
		RTT: NewHist(), RTTActual: NewHist(), RTTIntended: NewHist(), Connect: NewHist(), ConnectIntended: NewHist(), Away: NewHist(), Late: NewHist(), Lateness: NewHist()}
}

// Add adds what another swarm of the same run has. Peaks are not its business.
func (t *Tally) Add(o *Tally) {
	t.Counters.Add(&o.Counters)
	t.Storm.Add(o.Storm)
	for i, one := range o.Cohorts {
		if i == len(t.Cohorts) {
			t.Cohorts = append(t.Cohorts, NewStorm())
		}
		t.Cohorts[i].Add(one)
	}
	t.Probes.Add(o.Probes)
	t.Ready += o.Ready
	t.RTT.Add(o.RTT)
	t.RTTActual.Add(o.RTTActual)
	t.RTTIntended.Add(o.RTTIntended)
	t.Connect.Add(o.Connect)
	t.ConnectIntended.Add(o.ConnectIntended)
	t.Away.Add(o.Away)
	t.Late.Add(o.Late)
	t.Lateness.Add(o.Lateness)
	addIfAny(&t.Messages, o.Messages)
	addIfAny(&t.MessagesWire, o.MessagesWire)
	addIfAny(&t.Deliveries, o.Deliveries)
	addIfAny(&t.Confirmations, o.Confirmations)
	if o.Rest != nil {
		if t.Rest == nil {
			t.Rest = NewRecent()
		}
		t.Rest.Add(o.Rest)
	}
	if o.Ledger != nil {
		if t.Ledger == nil {
			t.Ledger = &Ledger{}
		}
		t.Ledger.Add(o.Ledger)
	}
}

// Second is one second of a run, of which the counts at its begin and at its end are known, and its times.
func Second(from, at time.Duration, ready int, now, before *Counters, times *Recent) result.Second {
	s := result.Second{T: at.Seconds(), Span: (at - from).Seconds(), Ready: ready, Unanswered: times.Overdue,
		Lost: now.Losses.Total() - before.Losses.Total(), Failed: now.Failures.Total() - before.Failures.Total(),
		Attempts: now.Attempts - before.Attempts, Established: now.Established - before.Established, Goodput: now.Regained - before.Regained,
		Pings: now.Pings - before.Pings, Pongs: now.Pongs - before.Pongs,
		Sent: now.Messages.Sent - before.Messages.Sent, Acknowledged: now.Messages.Acknowledged - before.Messages.Acknowledged, Delivered: now.Messages.Delivered - before.Messages.Delivered,
		Undelivered: now.Messages.Undelivered - before.Messages.Undelivered,
		Muted:       now.Muted, Evicted: now.Observed, Early: now.Early, False: now.Falsely,
		StormClients: now.StormClients, StormBack: now.StormBack}
	times.second(&s)
	s.SetCounts(now.soFar(), before.soFar())
	return s
}

// soFar are the counts as the result has them.
func (c *Counters) soFar() *result.Result {
	out := &result.Result{Churn: &result.Churn{Departures: c.Departures, Returns: c.Returns}}
	c.Fill(out)
	return out
}

// ServerSeconds are what servers cost and hold; nothing is known of one that was killed.
func ServerSeconds(servers []result.Server) (all []result.ServerSecond) {
	for _, n := range servers {
		one := result.ServerSecond{RSSBytes: n.RSSBytes, CPUS: n.CPUS, Conns: n.Conns, FDs: n.FDs}
		if n.Killed {
			one = result.ServerSecond{}
		}
		all = append(all, one)
	}
	return all
}
