package handshakes

import (
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/bench/tally"
)

// Meter tells of handshakes while they are made. The zero Meter is ready; any goroutine.
type Meter struct {
	mu     sync.Mutex
	failed int
	ended  *tally.Hist // nil: none
}

// Recent are the handshakes of the last moments.
type Recent struct {
	Ended, Failed int
	Latency       *tally.Hist // nil: none ended
}

func (m *Meter) note(took time.Duration, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.failed++
		return
	}
	if m.ended == nil {
		m.ended = tally.NewHist()
	}
	m.ended.Record(took)
}

// Take has those since the last call.
func (m *Meter) Take() (r Recent) {
	m.mu.Lock()
	ended, failed := m.ended, m.failed
	m.ended, m.failed = nil, 0
	m.mu.Unlock()
	r.Failed, r.Latency = failed, ended
	if ended != nil {
		r.Ended = ended.Count()
	}
	return r
}
