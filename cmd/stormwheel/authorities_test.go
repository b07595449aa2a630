package main

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// ask is what a node's handshake says to a client with a certificate, and whether a session was resumed.
func ask(t *testing.T, addr string, c *tls.Config) (resumed bool, err error) {
	t.Helper()
	c = c.Clone()
	c.ServerName = addr // by which its sessions are kept
	conn, err := tls.Dial("tcp", addr, c)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	err = answered(conn)
	return conn.ConnectionState().DidResume, err
}

// The authorities of clients are read again on SIGHUP, of a listener as of a node; garbage changes nothing and
// is told. Who has a session by the word of authorities that are gone does not come in by it.
func TestAuthoritiesOfClientsAreReplaced(t *testing.T) {
	_, cert, key := pair(t, t.TempDir())
	first, firstFile, _ := pair(t, t.TempDir())
	second, secondFile, _ := pair(t, t.TempDir())
	dir := t.TempDir()
	copied := func(from, to string) {
		t.Helper()
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	node, own := filepath.Join(dir, "node.pem"), filepath.Join(dir, "listener.pem")
	copied(firstFile, node)
	copied(firstFile, own)
	n := serve(t, "--tls-cert", cert, "--tls-key", key, "--tls-client-ca", node,
		"--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0,tls-cert="+cert+",tls-key="+key+",tls-client-ca="+own)
	addrs := strings.Split(n.listen, ",")
	client := func(c tls.Certificate) *tls.Config {
		return &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{c}, ClientSessionCache: tls.NewLRUClientSessionCache(4)}
	}
	old, young := client(first), client(second)
	lets := func(when string, olds, youngs bool) {
		t.Helper()
		for i, addr := range addrs {
			if _, err := ask(t, addr, old); (err == nil) != olds {
				t.Errorf("%s, listener %d: the first client: %v", when, i, err)
			}
			if _, err := ask(t, addr, young); (err == nil) != youngs {
				t.Errorf("%s, listener %d: the second client: %v", when, i, err)
			}
		}
	}
	lets("at the start", true, false)
	if resumed, err := ask(t, addrs[0], old); err != nil || !resumed {
		t.Errorf("a session was not resumed, %v", err)
	}

	for _, file := range []string{node, own} {
		if err := os.WriteFile(file, []byte("garbage"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	n.signal(syscall.SIGHUP)
	n.untilSaid("the old ones stay\" file=" + own)
	lets("with garbage", true, false)

	copied(secondFile, node)
	copied(secondFile, own)
	n.signal(syscall.SIGHUP)
	n.untilSaid("were read again\" file=" + own)
	lets("with others", false, true)
}
