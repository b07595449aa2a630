package bench

import (
	"context"
	"time"
)

// No server passes that does not answer. In a storm, those that the blow takes are not to
// blame; that all others answered in the end is.
const (
	answeredPromise = "heartbeat.unanswered==0"
	pendingPromise  = "heartbeat.pending==0"
)

// rollCallEvery is between two rounds in which clients are asked.
const rollCallEvery = 10 * time.Millisecond

// awaitAnswers ends the count of the PINGs, and waits until each of them is answered or given
// up, at most for the patience that clients have unless told otherwise.
func (s *Stage) awaitAnswers(ctx context.Context) error {
	patience := min(s.PongTimeout, defaultPatience)
	s.enter("answers", patience)
	for round := range rollCallRounds {
		s.clients.RollCall(round)
		if err := s.pass(ctx, rollCallEvery); err != nil {
			return err
		}
	}
	s.clients.CloseCount()
	all, err := s.until(ctx, patience, func() bool {
		n := s.clients.Counts()
		return n.waiting() == 0 || len(s.clients.Lost()) > 0
	})
	if err == nil && !all {
		n := s.clients.Counts()
		s.say("%d PINGs are not answered: the wait is over", n.waiting())
	}
	return err
}
