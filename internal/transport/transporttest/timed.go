package transporttest

import (
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// Timed is a stage that notes how often it was told the time.
type Timed struct {
	transport.Stage
	Ticks *atomic.Int64
}

var _ transport.Ticker = Timed{}

// Tick notes it.
func (t Timed) Tick(time.Duration) { t.Ticks.Add(1) }
