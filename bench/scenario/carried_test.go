package scenario

import (
	"slices"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/internal/token"
)

func TestTargetsSayByWhatClientsCome(t *testing.T) {
	for _, c := range []struct {
		targets                []string
		transport, proxy, path string
		wrong                  string
		tls                    bool
	}{
		{targets: []string{"127.0.0.1:7000"}},
		{targets: []string{"ws://127.0.0.1:7000"}, path: "/"},
		{targets: []string{"ws://127.0.0.1:7000/edge", "ws://127.0.0.1:7001/edge"}, transport: "ws", path: "/edge"},
		{targets: []string{"127.0.0.1:7000"}, transport: "ws", proxy: "v2", path: "/"},
		{targets: []string{"ws://127.0.0.1:7000", "127.0.0.1:7001"}, wrong: "--target"},
		{targets: []string{"ws://127.0.0.1:7000"}, transport: "tcp", wrong: "--transport"},
		{targets: []string{"127.0.0.1:7000"}, transport: "quic", wrong: "--transport"},
		{targets: []string{"tls://127.0.0.1:7000"}, tls: true},
		{targets: []string{"wss://127.0.0.1:7000/edge"}, transport: "wss", path: "/edge", tls: true},
		{targets: []string{"127.0.0.1:7000"}, transport: "wss", path: "/", tls: true},
		{targets: []string{"tls://127.0.0.1:7000"}, transport: "ws", wrong: "--transport"},
		{targets: []string{"127.0.0.1:7000"}, proxy: "v3", wrong: "--proxy-protocol"},
	} {
		p := &Plan{Config: Config{Targets: c.targets, Transport: c.transport, ProxyProtocol: c.proxy}}
		err := p.carry()
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%+v: %v", c, err)
		}
		if err == nil && (p.way.Path != c.path || (p.secure != nil) != c.tls || slices.ContainsFunc(p.Targets, func(s string) bool { return strings.Contains(s, "/") })) {
			t.Errorf("%+v: way %+v, targets %q", c, p.way, p.Targets)
		}
	}
	ws := Config{Transport: "ws", ProxyProtocol: "v1"}
	if args := strings.Join(ws.carriedBy(), " "); args != "--transports tcp,ws --proxy optional --trusted-proxies 127.0.0.0/8" {
		t.Errorf("nodes are spawned with %s", args)
	}
}

// Nodes that have TLS share a secret for tickets, unless they are given one.
func TestSpawnedNodesShareATicketSecret(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, tt := range []struct {
		transport string
		args      []string
		want      bool
	}{{"tls", nil, true}, {"wss", nil, true}, {"ws", nil, false}, {"tls", []string{"cluster-secret-file=x"}, false}} {
		p := &Plan{Config: Config{Transport: tt.transport, NodeArgs: tt.args}}
		if err := p.carry(); err != nil {
			t.Fatal(err)
		}
		folder, flags, err := p.nodeFiles()
		if err != nil || (folder != "") != tt.want || len(flags) > 0 != tt.want {
			t.Fatalf("%s, %q: %q, %q, %v", tt.transport, tt.args, folder, flags, err)
		}
		if !tt.want {
			continue
		}
		if secrets, err := token.ReadSecrets(flags[1]); flags[0] != "--cluster-secret-file" || (err != nil || len(secrets) != 1) {
			t.Errorf("%s: the file has %d secrets, %v", tt.transport, len(secrets), err)
		}
	}
}
