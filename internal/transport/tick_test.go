package transport_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/entry"
	"github.com/stormwheel/stormwheel/internal/transport/proxy"
	"github.com/stormwheel/stormwheel/internal/transport/transporttest"
)

// Whatever a stage is in: it is told the time. Who does not ask for it is not.
func TestTheTimeReachesTheStageThatWantsIt(t *testing.T) {
	var ticks atomic.Int64
	timed := transporttest.Timed{Stage: transporttest.NewLength(true, false), Ticks: &ticks}
	for name, stage := range map[string]transport.Stage{
		"alone":             timed,
		"under a WebSocket": transport.NewStack(timed, wsClient()),
		"behind a header":   proxy.NewSender(nil, timed),
		"at an entry":       entry.New(entry.Config{TLS: timed}),
	} {
		before := ticks.Load()
		if transport.NewLines(stage).Tick(time.Second); ticks.Load() != before+1 {
			t.Errorf("%s: it was not told", name)
		}
	}
	for _, stage := range []transport.Stage{wsClient(), proxy.NewSender(nil, nil), entry.New(entry.Config{})} {
		transport.NewLines(stage).Tick(time.Second)
	}
}
