package fanout

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
)

// flow is publications that follow each other.
type flow struct {
	hub      hub
	crew     *crew
	workload workload
	members  int
	body     []byte
}

func forTime(d time.Duration) (going func() bool) {
	began := time.Now()
	return func() bool { return time.Since(began) < d }
}

// run publishes while going says so, waits until all have all, and says how many messages that
// were, to all members together.
func (f *flow) run(going func() bool) (messages int, err error) {
	if _, err := f.crew.begin(); err != nil {
		return 0, err
	}
	batch := f.members * f.workload.times
	under := 0 // batches under way
	for going() || under > 0 {
		for ; going() && under < f.workload.depth; under++ {
			if err := f.hub.publish(f.body, f.workload.times); err != nil {
				return 0, err
			}
			messages += batch
		}
		if under == 0 {
			break
		}
		if err := f.crew.wait(batch * f.hub.marks(f.body)); err != nil {
			return 0, err
		}
		under--
	}
	return messages, nil
}

// measure tells the messages a second, by the clock and by the processor time of this process.
func (f *flow) measure(d time.Duration, figures map[string]float64) error {
	before, began := flood.CPU(), time.Now()
	messages, err := f.run(forTime(d))
	took, used := time.Since(began), flood.CPU()-before
	figures["messages"] = float64(messages) / took.Seconds()
	figures["messages_core"] = float64(messages) / used.Seconds()
	figures["busy"] = used.Seconds() / took.Seconds()
	return err
}
