package swarm

import (
	"testing"
	"time"
)

func TestOutageEndsWithTheLastReturn(t *testing.T) {
	var o outage
	o.lose(time.Second)
	if got := o.back(3 * time.Second); got != 2*time.Second {
		t.Errorf("back after 2 s: outage of %v", got)
	}
	o.lose(10 * time.Second)
	if !o.out || !o.hit {
		t.Error("a client that is lost again is not out")
	}
	if got := o.back(11 * time.Second); got != time.Second || o.at != 11*time.Second {
		t.Errorf("second outage of %v until %v, want 1s until 11s", got, o.at)
	}
}

func TestAMovedClientWasNeverOffline(t *testing.T) {
	o := outage{hit: true, moving: true}
	if o.moved(5 * time.Second); o.offline || o.moving || o.at != 5*time.Second {
		t.Errorf("after the move: %+v", o)
	}
	o = outage{hit: true, moving: true}
	o.lose(6 * time.Second)
	if !o.offline || !o.out || o.moving {
		t.Errorf("after a loss during the move: %+v", o)
	}
	if o.back(7 * time.Second); !o.offline || o.out {
		t.Errorf("after the return: %+v", o)
	}
}
