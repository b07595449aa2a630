package server

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/selfsigned"
)

// named is a certificate for a name.
func named(t *testing.T, name string) tls.Certificate {
	t.Helper()
	c, err := selfsigned.New(time.Hour, name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// dialAt is dialStd of the listener with that number. The session is in when it returns.
func dialAt(t *testing.T, s *Server, listener int, cfg *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	c, err := tls.Dial("tcp", s.Addrs()[listener], cfg)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write(helloFrame("alice")); err != nil {
		return tls.ConnectionState{}, err
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		return tls.ConnectionState{}, err
	}
	return c.ConnectionState(), nil
}

// A listener shows its own certificate and asks for its own clients' ones, or does as the node does; a
// ticket of one is not good at the other.
func TestListenersHaveTheirOwnTLS(t *testing.T) {
	public, private, third, client := named(t, "public"), named(t, "private"), named(t, "third"), named(t, "alice")
	s := startNode(t, Config{
		Loops: 2,
		TLS:   &tls.Config{Certificates: []tls.Certificate{public}},
		Listeners: []Listener{
			{Addr: "127.0.0.1:0", Transports: []Transport{TransportTCP}},
			{Addr: "127.0.0.1:0", TLS: &tls.Config{
				Certificates: []tls.Certificate{private}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: selfsigned.Pool(client),
			}},
			{Addr: "127.0.0.1:0"}, // the node's
			{Addr: "127.0.0.1:0", TLS: &tls.Config{Certificates: []tls.Certificate{third}}},
		},
	})
	cfg := &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1), ServerName: "any"}
	if _, err := dialAt(t, s, 0, cfg); err == nil {
		t.Error("a listener without TLS has it")
	}
	if _, err := dialAt(t, s, 1, cfg); err == nil || !strings.Contains(err.Error(), "certificate required") {
		t.Errorf("without a certificate: %v", err)
	}
	mine := cfg.Clone()
	mine.Certificates = []tls.Certificate{client}
	for i, want := range []struct {
		listener int
		name     string
		resumed  bool
	}{{1, "private", false}, {1, "private", true}, {2, "public", false}, {2, "public", true}, {3, "third", false}, {3, "third", true}} {
		got, err := dialAt(t, s, want.listener, mine)
		if err != nil {
			t.Fatal(err)
		}
		if name := got.PeerCertificates[0].DNSNames[0]; name != want.name || got.DidResume != want.resumed {
			t.Errorf("number %d: %q, resumed %v; want %+v", i, name, got.DidResume, want)
		}
	}
	if st := s.Stats(); st.TLSResumed != 3 {
		t.Errorf("%d were resumed, want 3", st.TLSResumed)
	}
}

// A listener may be the only one that has TLS; what makes no sense is said.
func TestListenersTLSAndTransports(t *testing.T) {
	own := &tls.Config{Certificates: []tls.Certificate{named(t, "own")}}
	s := startNode(t, Config{Loops: 1, Listeners: []Listener{{Addr: "127.0.0.1:0"}, {Addr: "127.0.0.1:0", TLS: own}}})
	joinNode(t, s, "plain")
	if _, err := dialAt(t, s, 1, &tls.Config{InsecureSkipVerify: true}); err != nil {
		t.Error(err)
	}
	for want, cfg := range map[string]Config{
		"its Transports do not":            {Listeners: []Listener{{Addr: "a:1", TLS: own, Transports: []Transport{TransportTCP}}}},
		"no listener have it":              {TLS: own, Listeners: []Listener{{Addr: "a:1", TLS: own.Clone(), Transports: []Transport{TransportTLS}}}},
		"needs TLS":                        {Listeners: []Listener{{Addr: "a:1", TLS: own}, {Addr: "a:2", Transports: []Transport{TransportTLS}}}},
		"the listener a:2: no certificate": {Listeners: []Listener{{Addr: "a:1", TLS: own}, {Addr: "a:2", TLS: new(tls.Config)}}},
	} {
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Another secret seals tickets from then on. Those of the old one are taken while it is there, and no
// longer.
func TestUpdatedSecretsSealTickets(t *testing.T) {
	older, newer := []byte(strings.Repeat("o", MinSecret)), []byte(strings.Repeat("n", MinSecret))
	node := func(secrets ...[]byte) *Server {
		s := startTLS(t, Config{Loops: 1, Tick: 5 * time.Millisecond, ClusterSecrets: secrets}, nil)
		if _, err := dialAt(t, s, 0, clientTLS()); err != nil { // so that it has all its descriptors before the next one
			t.Fatal(err)
		}
		return s
	}
	update := func(s *Server, secrets ...[]byte) {
		if err := s.Update(func(u *Tunable) { u.ClusterSecrets = secrets }); err != nil {
			t.Fatal(err)
		}
		then := (*s.loops.Load())[0].snapshot().SnapshotAt
		eventually(t, "the node has ticked", func() bool { return (*s.loops.Load())[0].snapshot().SnapshotAt > then+50*time.Millisecond })
	}
	s, old, fresh := node(older), node(older), node(newer)
	cfg := clientTLS()
	resumed := func(s *Server) bool {
		t.Helper()
		state, err := dialAt(t, s, 0, cfg)
		if err != nil {
			t.Fatal(err)
		}
		return state.DidResume
	}
	cfg.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	if resumed(s) || !resumed(s) {
		t.Error("at first")
	}
	update(s, newer, older)
	if !resumed(s) {
		t.Error("a ticket of the old secret is not taken while that is there")
	}
	if !resumed(fresh) {
		t.Error("the new secret does not seal")
	}
	cfg.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	if resumed(old) {
		t.Error("without a ticket")
	}
	update(s, newer)
	if resumed(s) {
		t.Error("a ticket of a secret that was taken away is good")
	}
}

// A ticket is good at the listener that has the same TLS on another node, though that node has no TLS
// besides, and not at one that has other TLS.
func TestTicketsOfAListenerAreGoodOnANodeWithoutOtherTLS(t *testing.T) {
	secret := [][]byte{[]byte(strings.Repeat("s", MinSecret))}
	own := Listener{Addr: "127.0.0.1:0", TLS: &tls.Config{Certificates: []tls.Certificate{named(t, "own")}}}
	both := startNode(t, Config{Loops: 1, ClusterSecrets: secret, TLS: &tls.Config{Certificates: []tls.Certificate{named(t, "public")}},
		Listeners: []Listener{{Addr: "127.0.0.1:0"}, own}})
	if _, err := dialAt(t, both, 1, &tls.Config{InsecureSkipVerify: true}); err != nil { // so that it has all its descriptors before the next one
		t.Fatal(err)
	}
	alone := startNode(t, Config{Loops: 1, ClusterSecrets: secret, Listeners: []Listener{own}})
	for listener, want := range []bool{false, true} {
		cfg := &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1), ServerName: "any"}
		if _, err := dialAt(t, both, listener, cfg); err != nil {
			t.Fatal(err)
		}
		got, err := dialAt(t, alone, 0, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got.DidResume != want {
			t.Errorf("with a ticket of listener %d: resumed %v, want %v", listener, got.DidResume, want)
		}
	}
}

// Who gives a secret may wipe it afterwards: keys are made of it later, too.
func TestSecretsAreCopied(t *testing.T) {
	given := []byte(strings.Repeat("s", MinSecret))
	want := string(given)
	s, err := New(Config{ClusterSecrets: [][]byte{given}})
	if err != nil {
		t.Fatal(err)
	}
	clear(given)
	if got := string(s.cfg.ClusterSecrets[0]); got != want {
		t.Errorf("the node has %q", got)
	}
	if err := s.Update(func(u *Tunable) { u.ClusterSecrets = append(u.ClusterSecrets, given) }); err != nil {
		t.Fatal(err)
	}
	copy(given, "other")
	told := s.Tunable().ClusterSecrets
	if string(told[0]) != want || strings.Trim(string(told[1]), "\x00") != "" {
		t.Errorf("after an update it has %q", told)
	}
	clear(told[0])
	if got := string(s.Tunable().ClusterSecrets[0]); got != want {
		t.Errorf("who was told has made it %q", got)
	}
}
