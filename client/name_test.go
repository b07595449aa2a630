package client

import (
	"net"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/dnstest"
)

// patient is a client for whom every wait is longer than the test.
func patient(endpoints ...string) Config {
	return Config{Endpoints: endpoints, BackoffMin: time.Hour, BackoffMax: time.Hour}
}

// noWay is where no route leads from any machine.
const noWay = "255.255.255.255"

func TestADeadAddressLeadsToTheNextOfItsNameAtOnce(t *testing.T) {
	noLeaks(t)
	a := listen(t, quick)
	_, port, _ := net.SplitHostPort(a.Addr().String())
	dnstest.Zone{"edge.test": {"127.0.0.2", "127.0.0.3", noWay, "127.0.0.1", "127.0.0.4", "fe80::1"}}.Install(t)
	for range 5 {
		c, ran := run(t, patient("edge.test:"+port))
		eventually(t, "ready", func() bool { return c.Info().State == Ready })
		if i := c.Info(); i.Dials > 6 || i.Endpoint != "edge.test:"+port {
			t.Errorf("Info = %+v, want six dials at most", i)
		}
		end(t, c, ran)
	}
}

func TestANameThatDoesNotExistKeepsNobodyAway(t *testing.T) {
	noLeaks(t)
	a := listen(t, quick)
	dnstest.Zone{"empty.test": nil}.Install(t)
	for range 5 {
		c, ran := run(t, patient("gone.test:7000", a.Addr().String(), "empty.test:7000"))
		eventually(t, "ready", func() bool { return c.Info().State == Ready })
		end(t, c, ran)
	}
}

// The node dies and is back; the alternate that it named was never to be reached.
func TestAnAlternateWithoutARouteKeepsNobodyAway(t *testing.T) {
	noLeaks(t)
	serve := func(p *peer) {
		if _, err := p.welcome(codec.WelcomeMessage{Terms: codec.Terms{Interval: time.Second, Timeout: 5 * time.Second,
			Window: 50 * time.Millisecond}, Alternates: []byte(noWay + ":7000")}); err == nil {
			p.serve()
		}
	}
	a := listen(t, serve)
	addr := a.Addr().String()
	c, ran := run(t, Config{Endpoints: []string{addr}})
	defer end(t, c, ran)
	eventually(t, "ready", func() bool { return c.Info().State == Ready })
	a.kill()
	eventually(t, "lost", func() bool { return c.Info().Losses == 1 })
	listenAt(t, addr, serve)
	eventually(t, "ready again", func() bool { return c.Info().State == Ready && c.Info().Sessions == 2 })
}

func TestAlternatesAreIgnoredOnRequest(t *testing.T) {
	noLeaks(t)
	second := listen(t, quick)
	a := listen(t, func(p *peer) {
		if _, err := p.hello(); err == nil {
			p.goAway(codec.GoAwayMessage{Code: codec.CodeFull, Alternates: []byte(second.Addr().String())})
		}
	})
	for _, ignore := range []bool{false, true} {
		c, ran := run(t, Config{Endpoints: []string{a.Addr().String()}, IgnoreAlternates: ignore, BackoffMin: time.Millisecond})
		eventually(t, "somewhere to go", func() bool { i := c.Info(); return i.State == Ready || i.Dials >= 3 })
		if got := c.Info().State != Ready; got != ignore {
			t.Errorf("IgnoreAlternates %v: state %s", ignore, c.Info().State)
		}
		end(t, c, ran)
	}
}
