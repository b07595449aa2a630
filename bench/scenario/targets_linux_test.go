package scenario

import (
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/dnstest"
	"github.com/stormwheel/stormwheel/internal/freeport"
)

// The promise: a name is all its addresses, each a target.
func TestATargetsNameStandsForAllItsAddresses(t *testing.T) {
	addrs, err := freeport.Loopback(1)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(addrs[0])
	for _, host := range []string{"127.0.0.1", "127.0.0.2"} {
		l, err := net.Listen("tcp4", net.JoinHostPort(host, port))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	dnstest.Zone{"edge.test": {"127.0.0.2", "127.0.0.1", "127.0.0.2"}, "half.test": {"127.0.0.1", "127.0.0.9"}, "three.test": {"127.0.0.9", "127.0.0.2", "127.0.0.1"},
		"away.test": {"127.0.0.1", "fe80::1"}, "dead.test": {"127.0.0.8", "127.0.0.9"}}.Install(t)
	for _, tt := range []struct {
		name string
		want []string // hosts
		note string
	}{
		{"edge.test", []string{"127.0.0.1", "127.0.0.2"}, "edge.test:" + port + " is 127.0.0.1:" + port + ", 127.0.0.2:" + port},
		{"three.test", []string{"127.0.0.1", "127.0.0.2"}, "127.0.0.9:" + port + " of three.test:" + port + " is left out: connection refused"},
		{"half.test", []string{"127.0.0.1"}, "127.0.0.9:" + port + " of half.test:" + port + " is left out: connection refused"},
		{"away.test", []string{"127.0.0.1"}, "[fe80::1]:" + port + " of away.test:" + port + " is left out: "},
		{"dead.test", []string{"127.0.0.8", "127.0.0.9"}, "dead.test:"},
		{"127.0.0.7", []string{"127.0.0.7"}, ""},
	} {
		p, err := Prepare(t.Context(), Config{Scenario: "hold", Conns: 2, Targets: []string{tt.name + ":" + port, "127.0.0.3:1"}})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		for _, e := range p.endpoints {
			got = append(got, e.Addr().String())
		}
		if !slices.Equal(got, append(tt.want, "127.0.0.3")) || len(p.Targets) != len(got) {
			t.Errorf("%s: targets %v, want %v", tt.name, got, tt.want)
		}
		if notes := strings.Join(p.Notes, "\n"); !strings.Contains(notes, tt.note) {
			t.Errorf("%s: the run says %q, want %q", tt.name, notes, tt.note)
		}
	}
	if _, err := Prepare(t.Context(), Config{Scenario: "hold", Conns: 2, Targets: []string{"gone.test:1"}}); result.ExitCode(err) != result.ExitOther || !strings.Contains(err.Error(), "gone.test") {
		t.Errorf("a name that does not exist: %v", err)
	}
}
