package handshake_test

import (
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/netstage"
	"github.com/stormwheel/stormwheel/internal/transport"
)

func wrap(nc net.Conn, stage transport.Stage) net.Conn { return netstage.New(nc, stage) }

// A ticket is good at every node that has the secret, in a later run too, and until the end of the
// day after; and nowhere else.
func TestTicketsWorkWhereTheSecretIs(t *testing.T) {
	secret := []byte("a secret of the cluster's")
	server, client := configs(t)
	later := func(d time.Duration) *tls.Config {
		c := server.Clone()
		c.Time = func() time.Time { return time.Now().Add(d) }
		return c
	}
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name   string
		config *tls.Config
		secret [][]byte
		want   bool
	}{
		{"another node", server, [][]byte{secret}, true},
		{"another secret", server, [][]byte{[]byte("another")}, false},
		{"a node with a newer secret first", server, [][]byte{[]byte("another"), secret}, true},
		{"none", server, nil, false},
		{"a day later", later(day), [][]byte{secret}, true},
		{"a node that is a day behind", later(-day + time.Hour), [][]byte{secret}, true},
		{"two days later", later(2 * day), [][]byte{secret}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := client.Clone()
			client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			first := listen(t, ours(newConfig(t, server, secret), echo))
			second := listen(t, ours(newConfig(t, tt.config, tt.secret...), echo))
			for i, addr := range []string{first, second} {
				c := tls.Client(dial(t, addr), client)
				if err := echoes(c); err != nil {
					t.Fatal(err)
				}
				if got, want := c.ConnectionState().DidResume, tt.want && i == 1; got != want {
					t.Errorf("at node %d resumed: %v, want %v", i, got, want)
				}
				_ = c.Close()
			}
		})
	}
}

// GetConfigForClient and resumption go together, as with crypto/tls.
func TestTicketsWithGetConfigForClient(t *testing.T) {
	server, client := configs(t)
	own := server.Clone()
	server.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return own, nil }
	config := newConfig(t, server)
	client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	addr := listen(t, ours(config, echo))
	for range 3 {
		c := tls.Client(dial(t, addr), client)
		if err := echoes(c); err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	if n := config.Counters(); n.Full != 1 || n.Resumed != 2 {
		t.Errorf("%+v, want one full and two resumed", n)
	}
}

// hooks have a server's tickets be of that size.
func hooks(c *tls.Config, size int) *tls.Config {
	c = c.Clone()
	keys := new(tls.Config)
	keys.SetSessionTicketKeys([][32]byte{{1}})
	c.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		b, err := keys.EncryptTicket(cs, ss)
		return append(append(make([]byte, size-len(b)-1), 1), b...), err // a ticket itself may begin with a 0
	}
	c.UnwrapSession = func(b []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		for len(b) > 0 && b[0] == 0 {
			b = b[1:]
		}
		return keys.DecryptTicket(b[1:], cs)
	}
	return c
}

// Our client resumes at a server of crypto/tls, and at ours, also with tickets larger than a
// record; and data goes on behind tickets of several records.
func TestTicketsOfEverySize(t *testing.T) {
	for _, size := range []int{2000, 12_000, 20_000, 60_000} {
		server, client := configs(t)
		server = hooks(server, size)
		for name, serve := range map[string]func(net.Conn){
			"crypto/tls": std(server, echo),
			"ours":       ours(newConfig(t, server), echo),
		} {
			if size > 16<<10 && name == "ours" {
				client.ClientSessionCache = nil // it comes, but no ClientHello may be so long
			}
			addr := listen(t, serve)
			for name, connect := range map[string]func(config *tls.Config) net.Conn{
				"crypto/tls": func(c *tls.Config) net.Conn { return tls.Client(dial(t, addr), c) },
				"ours":       func(c *tls.Config) net.Conn { return dialOurs(t, addr, c) },
			} {
				config := client.Clone()
				if name != "ours" || size < 16<<10 {
					config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
				}
				if size > 16<<10 {
					config.ClientSessionCache = nil
				}
				for range 2 {
					c := connect(config)
					if err := echoes(c); err != nil {
						t.Fatalf("%d bytes, %s: %v", size, name, err)
					}
					_ = c.Close()
				}
			}
		}
	}
}

// What our client has put into its cache is what crypto/tls would have.
func TestOurClientResumes(t *testing.T) {
	for _, size := range []int{2000, 40_000} {
		server, client := configs(t)
		server = hooks(server, size)
		resumed := make(chan bool, 4)
		addr := listen(t, func(nc net.Conn) {
			c := tls.Server(nc, server)
			echo(c)
			resumed <- c.ConnectionState().DidResume
			_ = c.Close()
		})
		client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		for i := range 4 {
			c := dialOurs(t, addr, client)
			if err := echoes(c); err != nil {
				t.Fatalf("%d: %v", i, err)
			}
			_ = c.Close()
			if got := <-resumed; got != (i > 0) {
				t.Errorf("tickets of %d bytes: connection %d resumed: %v", size, i, got)
			}
		}
	}
}
