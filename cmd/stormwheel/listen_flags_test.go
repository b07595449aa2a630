package main

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/server"
)

func TestListenFlags(t *testing.T) {
	both := []server.Transport{server.TransportTCP, server.TransportWebSocket}
	ten := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f := transportFlags{
		Listen: []string{":7000", "127.0.0.1:0,transports=tcp+ws,proxy=required,trusted=10.0.0.0/8+::1",
			"unix:/run/a.sock,mode=0600,users=root+1000,trusted=unix"},
		Transports:     []string{"ws"},
		WSPath:         "/ws",
		WSOrigins:      []string{"https://example.com"},
		TrustedProxies: []string{"10.1.2.3/8"},
		Proxy:          "optional",
	}
	var got server.Config
	if err := f.fill(&got, new(certificates)); err != nil {
		t.Fatal(err)
	}
	want := server.Config{
		Listeners: []server.Listener{
			{Addr: ":7000"},
			{Addr: "127.0.0.1:0", Transports: both, ProxyProtocol: server.ProxyRequired, TrustedProxies: append(ten[:1:1], netip.MustParsePrefix("::1/128"))},
			{Addr: "unix:/run/a.sock", Mode: 0o600, Users: []uint32{0, 1000}, TrustPeers: true},
		},
		Transports:     both[1:],
		WebSocket:      server.WebSocket{Path: "/ws", Origins: []string{"https://example.com"}},
		TrustedProxies: ten,
		ProxyProtocol:  server.ProxyOptional,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for text, wrong := range map[string]string{
		"7000": "is not host:port", ":7000,transports=udp": "is none of tcp", ":7000,trusted=all": "is no network", ":7000,ws": "is none of transports=",
		":7000,tls-cert=x": "--listen: tls-cert and --listen: tls-key go together", ":7000,tls-client-ca=x": "needs --listen: tls-cert",
		":7000,tls-cert=/no/such,tls-key=/no/such": "no such file",
		"unix:/a b": "has blanks", "unix:/a,mode=8": "is no mode", "unix:/a,mode=04755": "is no mode", "unix:/a,users=nobody-of-that-name": "there is no user",
	} {
		f := transportFlags{Listen: []string{text}}
		if err := f.fill(new(server.Config), new(certificates)); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("--listen %s: %v, want %q", text, err, wrong)
		}
	}
}
