package fleet

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/swarm"
	"github.com/stormwheel/stormwheel/bench/tally"
)

// What users who talk to each other do: swarm.Config.Talk.

// Talk has all of them begin at one moment, and for a time. It returns when they are told.
func (f *Fleet) Talk(length time.Duration) (from time.Duration) {
	from = f.Now()
	if len(f.members) > 1 {
		from += HeadStart
	}
	f.ask(swarm.Order{Op: swarm.BeginTalk, T0: from, For: length})
	return from
}

// Hear has those that are deaf acknowledge what they have read, and all that comes.
func (f *Fleet) Hear() { f.ask(swarm.Order{Op: swarm.Hear}) }

// Owing is how many clients have a message that is due and not sent, or not answered.
func (f *Fleet) Owing() (n int) {
	for _, a := range f.ask(swarm.Order{Op: swarm.Owing}) {
		n += a.Count
	}
	return n
}

// Reconcile compares what was sent so far with what was had.
func (f *Fleet) Reconcile() tally.Reconciled {
	all := &tally.Ledger{}
	for _, a := range f.ask(swarm.Order{Op: swarm.Ledger}) {
		if a.Ledger != nil {
			all.Add(a.Ledger)
		}
	}
	return all.Reconcile(f.cfg.Talk.Addressees)
}
