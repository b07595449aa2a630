package messages

import (
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/internal/machine"
)

// Talk is users who talk to each other, at one node or at several.
type Talk struct {
	Targets []string              // the nodes: the users are at them in turn
	Users   int                   // how many
	To      func(user int) int    // whom a user sends to
	Depth   int                   // how many messages each has open where as many are sent as can be
	Rate    float64               // messages a second where they come evenly
	Phase   time.Duration         // of each of the two
	Begins  func()                // told when such a phase begins
	Ends    func(messages string) // told when it has ended, with its name, which begins those of its figures
}

// Run tells the figures: of both phases the messages a second that were acknowledged by the addressee, and how long that took.
func (k Talk) Run() (map[string]float64, error) {
	defer machine.Hurry()() // that a message is late is to be the nodes' doing
	t, err := joinTalkers(k.Targets, k.Users, "user")
	if err != nil {
		return nil, err
	}
	t.to = func(client int) string { return fmt.Sprint("user", k.To(client)) }
	nothing := func() {}
	if err := t.pace(k.Rate/4, k.Phase/4, nothing, nothing); err != nil { // until all know where whom is, and buffers have their size
		return nil, err
	}
	figures := map[string]float64{}
	for _, phase := range []string{paced, full} {
		var began time.Time
		begins := func() {
			t.done, t.refused, t.took, t.late = 0, 0, t.took[:0], t.late[:0]
			began = time.Now()
			k.Begins()
		}
		ends := func() {
			figures[phase] = float64(t.done) / time.Since(began).Seconds()
			figures[phase+"_count"] = float64(t.done)
			k.Ends(phase)
		}
		if phase == paced {
			err = t.pace(k.Rate, k.Phase, begins, ends)
		} else {
			err = t.flow(k.Depth, k.Phase, begins, ends)
		}
		if err != nil {
			return nil, err
		}
		t.tell(figures, phase)
	}
	return figures, nil
}
