package scenario

import (
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/tally"
)

func TestATrickleOfWhichNoFrameIsOverProvesNothing(t *testing.T) {
	p := Plan{Config: Config{Scenario: "trickle", Conns: 20, Trickle: "ping", TrickleInterval: 20 * time.Millisecond}}
	n := tally.Counters{Trickled: 3}
	trickle{}.Defaults(&p.Config)
	if why := p.Unproven(&n, nil); !strings.Contains(why, "3 of 10 clients had sent a whole ping") || !strings.Contains(why, "must last") {
		t.Errorf("three of ten: %q", why)
	}
	if n.Trickled = 10; p.Unproven(&n, nil) != "" {
		t.Errorf("all: %q", p.Unproven(&n, nil))
	}
}
