package scenario

import (
	"context"
	"time"

	"github.com/stormwheel/stormwheel/bench/swarm"
)

// No server passes that does not answer. In a storm, those that the blow takes are not to
// blame; that all others answered in the end is.
const (
	answeredPromise = "heartbeat.unanswered==0"
	pendingPromise  = "heartbeat.pending==0"
)

// rollCallEvery is between two rounds in which clients are asked.
const rollCallEvery = 10 * time.Millisecond

// AwaitAnswers ends the count of the PINGs and messages, and waits until each of them is answered or given
// up, at most for the patience that clients have unless told otherwise.
func (s *Stage) AwaitAnswers(ctx context.Context) error {
	patience := min(s.PongTimeout, defaultPatience)
	s.Enter("answers", patience)
	for round := range swarm.RollCallRounds {
		s.Clients.RollCall(round)
		if err := s.pass(ctx, rollCallEvery); err != nil {
			return err
		}
	}
	s.Clients.CloseCount()
	all, err := s.until(ctx, patience, func() bool {
		n := s.Clients.Counts()
		return n.Waiting()+n.Messages.Waiting() == 0 || len(s.Clients.Lost()) > 0
	})
	if err == nil && !all {
		n := s.Clients.Counts()
		s.Say("%d PINGs and %d messages are not answered: the wait is over", n.Waiting(), n.Messages.Waiting())
	}
	return err
}
