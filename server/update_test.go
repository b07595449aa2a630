package server_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

func update(t *testing.T, n *servertest.Node, change func(*server.Tunable)) {
	t.Helper()
	if err := n.Server.Update(change); err != nil {
		t.Fatal(err)
	}
	n.Settle()
}

// What may change is what Config has, by the same names and types, but that it has a variable for the level of the log.
func TestTunableIsAPartOfConfig(t *testing.T) {
	cfg := reflect.TypeFor[server.Config]()
	for f := range reflect.TypeFor[server.Tunable]().Fields() {
		if in, ok := cfg.FieldByName(f.Name); !ok || in.Type != f.Type && f.Name != "LogLevel" {
			t.Errorf("%s: Config has %v of type %v", f.Name, ok, in.Type)
		}
	}
}

// What New refuses, Update refuses with the same words, and nothing changes.
func TestUpdateRefusesWhatNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*server.Tunable){
		"alternate":      func(u *server.Tunable) { u.Alternates = []string{"b:1", "nowhere"} },
		"Alternates":     func(u *server.Tunable) { u.Alternates = slices.Repeat([]string{"b:1"}, 400) },
		"FailoverRate":   func(u *server.Tunable) { u.FailoverRate = math.Inf(1) },
		"AdmitRate":      func(u *server.Tunable) { u.AdmitRate = math.NaN() },
		"HandshakeRate":  func(u *server.Tunable) { u.HandshakeRate = -1 },
		"MaxWindow":      func(u *server.Tunable) { u.MaxWindow = -1 },
		"MaxConns":       func(u *server.Tunable) { u.MaxConns = -1 },
		"AddrConns":      func(u *server.Tunable) { u.AddrConns = -1 },
		"AddrRate":       func(u *server.Tunable) { u.AddrRate = math.NaN() },
		"IDRate":         func(u *server.Tunable) { u.IDRate = math.Inf(-1) },
		"MaxFrameRate":   func(u *server.Tunable) { u.MaxFrameRate = math.MaxInt },
		"MaxByteRate":    func(u *server.Tunable) { u.MaxByteRate = math.MaxInt },
		"UnsettledBytes": func(u *server.Tunable) { u.UnsettledBytes = 1 },
		"ClusterSecrets": func(u *server.Tunable) { u.ClusterSecrets = [][]byte{[]byte("short")} },
		"DrainWindow":    func(u *server.Tunable) { u.DrainWindow = -1 },
		"LogLevel":       func(u *server.Tunable) { u.LogLevel = new(slog.LevelDebug) },
	} {
		s, err := server.New(server.Config{AdmitRate: 77, MaxConns: 5})
		if err != nil {
			t.Fatal(err)
		}
		before := s.Tunable()
		err = s.Update(func(u *server.Tunable) {
			u.AdmitRate, u.MaxConns = 5, 9
			change(u)
		})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if now := s.Tunable(); !reflect.DeepEqual(now, before) {
			t.Errorf("%s: %+v after an error, want %+v", name, now, before)
		}
	}
}

// Zero is the default, as in Config, and what change keeps is its own.
func TestUpdateFillsDefaultsAndSharesNothing(t *testing.T) {
	s, err := server.New(server.Config{AdmitRate: 50, FailoverRate: 9, MaxFrameRate: 7, Alternates: []string{"b:1"}})
	if err != nil {
		t.Fatal(err)
	}
	secret, mine := []byte(strings.Repeat("s", server.MinSecret)), []string{"c:1"}
	if err := s.Update(func(u *server.Tunable) {
		u.Alternates[0] = "changed:1"
		*u = server.Tunable{Alternates: mine, ClusterSecrets: [][]byte{secret}}
	}); err != nil {
		t.Fatal(err)
	}
	mine[0], secret[0] = "x", 'x'
	plain, _ := server.New(server.Config{})
	want := plain.Tunable()
	want.Alternates, want.ClusterSecrets = []string{"c:1"}, [][]byte{[]byte(strings.Repeat("s", server.MinSecret))}
	got := s.Tunable()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	got.Alternates[0] = "y"
	if s.Tunable().Alternates[0] != "c:1" {
		t.Error("Tunable is not a copy")
	}
	func() {
		defer func() { _ = recover() }()
		_ = s.Update(func(*server.Tunable) { panic("boom") })
	}()
	if err := s.Update(func(u *server.Tunable) { u.MaxConns = 1 }); err != nil || s.Tunable().MaxConns != 1 {
		t.Errorf("after a panic: %v, %+v", err, s.Tunable())
	}
}

// A level that is of the node's own log changes with the rest or not at all, and nobody else's copy is it.
func TestUpdateChangesTheLevelOfTheLog(t *testing.T) {
	level := new(slog.LevelVar)
	s, err := server.New(server.Config{LogLevel: level})
	if err != nil {
		t.Fatal(err)
	}
	wrong := s.Update(func(u *server.Tunable) { *u.LogLevel, u.AdmitRate = slog.LevelDebug, -1 })
	if wrong == nil || level.Level() != slog.LevelInfo {
		t.Errorf("a wrong update: %v, the level is %v", wrong, level)
	}
	if err := s.Update(func(u *server.Tunable) { *u.LogLevel = slog.LevelDebug }); err != nil || level.Level() != slog.LevelDebug {
		t.Errorf("%v, the level is %v", err, level)
	}
	if err := s.Update(func(u *server.Tunable) { u.LogLevel = nil }); err != nil || level.Level() != slog.LevelDebug {
		t.Errorf("nil: %v, the level is %v", err, level)
	}
	level.Set(slog.LevelWarn)
	if now := s.Tunable().LogLevel; now == nil || *now != slog.LevelWarn {
		t.Errorf("set from elsewhere: %v", now)
	}
}

func TestUpdateIsToldToAllWithinHalfAHeartbeat(t *testing.T) {
	withNode(t, server.Config{Alternates: []string{"a:1"}}, func(t *testing.T, n *servertest.Node) {
		all := []*servertest.Client{n.Join("a"), n.Join("b"), n.Join("c")}
		update(t, n, func(u *server.Tunable) { u.Alternates, u.MaxFrameRate = []string{"b:1", "c:1"}, 10 })
		n.Advance(15 * time.Second)
		for _, c := range all {
			if m := c.ExpectUpdate(); string(m.Alternates) != "b:1,c:1" || m.Limits.Frames != 10 || c.Limits() != m.Limits {
				t.Errorf("told %+v", m)
			}
			c.ExpectNothing()
		}
		c := n.Dial()
		c.Hello(codec.HelloMessage{ClientID: []byte("late")})
		if w := c.ExpectWelcome(); string(w.Alternates) != "b:1,c:1" || w.Limits.Frames != 10 {
			t.Errorf("WELCOME tells %q and %+v", w.Alternates, w.Limits)
		}
		if err := n.Server.Move(c.Ref(), nil); err != nil {
			t.Fatal(err)
		}
		n.Settle()
		if m := c.ExpectGoAway(codec.CodeDraining); string(m.Alternates) != "b:1,c:1" {
			t.Errorf("moved to %q", m.Alternates)
		}
	})
}

func TestFewerPlacesThrowNobodyOut(t *testing.T) {
	withNode(t, server.Config{}, func(t *testing.T, n *servertest.Node) {
		var all []*servertest.Client
		for range 8 {
			all = append(all, n.Join("alice"))
		}
		update(t, n, func(u *server.Tunable) { u.MaxConns = 4 })
		n.Advance(10 * time.Minute)
		for _, c := range all {
			c.Ping()
			c.ExpectPong()
		}
		if st := n.Stats(); st.Sessions != 8 || st.MaxConns != 4 {
			t.Errorf("%d sessions of %d", st.Sessions, st.MaxConns)
		}
		late := n.Dial()
		late.Hello(codec.HelloMessage{ClientID: []byte("late")})
		late.ExpectGoAway(codec.CodeFull)
		update(t, n, func(u *server.Tunable) { u.MaxConns = 0 })
		n.Advance(time.Second)
		n.Join("late").ExpectNothing()
	})
}

func TestGatesFollowAnUpdate(t *testing.T) {
	withNode(t, server.Config{AdmitRate: 1}, func(t *testing.T, n *servertest.Node) {
		for range 17 {
			n.Join("alice")
		}
		crowd := n.Dial()
		crowd.Hello(codec.HelloMessage{ClientID: []byte("bob")})
		if m := crowd.ExpectGoAway(codec.CodeBusy); m.Delay == 0 {
			t.Errorf("told %+v", m)
		}
		update(t, n, func(u *server.Tunable) { u.AdmitRate, u.AddrConns = 1000, 3 })
		n.Advance(time.Second)
		if st := n.Stats(); st.Pace != 1000 || st.Sessions != 17 {
			t.Errorf("pace %v, %d sessions", st.Pace, st.Sessions)
		}
		var three []*servertest.Client
		for range 3 { // those that came before do not count
			three = append(three, n.Join("carol"))
		}
		fourth := n.Dial()
		fourth.Hello(codec.HelloMessage{ClientID: []byte("carol")})
		fourth.ExpectGoAway(codec.CodeBusy)
		three[0].Bye()
		n.Join("dave")
	})
}

// A client on a slow link is in the middle of a large frame when its limits are tightened: it cannot say
// that it knows, however long that takes, and is not held to them.
func TestALargeFrameUnderWayIsNotJudgedByLimitsThatCameMeanwhile(t *testing.T) {
	handler := server.Handler{Message: func(s *server.Session, m server.Message) { _ = s.Ack(m.Number) }}
	withNode(t, server.Config{Handler: handler}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		body := make([]byte, 60<<10)
		for range 40 {
			c.ExpectAck(c.Send(body))
		}
		c.Silence()
		frame := codec.AppendSend(nil, 1000, body)
		c.Write(frame[:4<<10])
		update(t, n, func(u *server.Tunable) { u.MaxByteRate = 1 })
		for at := 4 << 10; at < len(frame); at += 4 << 10 {
			n.Advance(9 * time.Second)
			c.Write(frame[at:min(at+4<<10, len(frame))])
		}
		if m := c.ExpectUpdate(); m.Limits.Bytes != 1 {
			t.Errorf("told %+v", m)
		}
		for {
			if st := n.Stats(); st.AcksOut >= 41 || c.Ended() {
				break
			}
			n.Advance(time.Second)
		}
		if c.Ended() || n.Stats().Closes[server.ReasonRateLimit] != 0 {
			t.Error("it was cut off")
		}
	})
}

// Secrets are changed twice while clients hold passes and tokens of the first.
func TestSecretsAreRotatedWhileClientsHoldOldOnes(t *testing.T) {
	secret := func(letter string) []byte { return []byte(strings.Repeat(letter, server.MinSecret)) }
	old, fresh := secret("o"), secret("f")
	auth, err := server.NewHMACAuth(old)
	if err != nil {
		t.Fatal(err)
	}
	withNode(t, server.Config{Auth: auth, ClusterSecrets: [][]byte{old}}, func(t *testing.T, n *servertest.Node) {
		token := func(of []byte) []byte {
			b, err := server.MintToken(of, "alice", time.Now().Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			return []byte(b)
		}
		hello := func(of, pass []byte) *servertest.Client {
			c := n.Dial()
			c.Hello(codec.HelloMessage{ClientID: []byte("alice"), Token: token(of), ReturnPass: pass})
			return c
		}
		resumed := func() uint64 { return n.Stats().Resumed }
		first := hello(old, nil)
		pass := first.ExpectWelcome().ReturnPass
		hello(fresh, nil).ExpectGoAway(codec.CodeUnauthorized)
		if err := errors.Join(auth.SetSecrets(fresh, old), auth.SetSecrets(), auth.SetSecrets([]byte("short"))); !errors.Is(err, server.ErrSecret) {
			t.Fatal(err)
		}
		update(t, n, func(u *server.Tunable) { u.ClusterSecrets = [][]byte{fresh, old} })
		n.Advance(time.Second)
		hello(old, pass).ExpectWelcome()
		second := hello(fresh, pass)
		fresher := second.ExpectWelcome().ReturnPass
		if got := resumed(); got != 2 {
			t.Errorf("%d known by their passes, want 2", got)
		}
		if err := auth.SetSecrets(fresh); err != nil {
			t.Fatal(err)
		}
		update(t, n, func(u *server.Tunable) { u.ClusterSecrets = [][]byte{fresh} })
		n.Advance(time.Second)
		hello(old, nil).ExpectGoAway(codec.CodeUnauthorized)
		hello(fresh, pass).ExpectWelcome()
		if got := resumed(); got != 2 {
			t.Errorf("a pass of a secret that is gone is known")
		}
		hello(fresh, fresher).ExpectWelcome()
		if got := resumed(); got != 3 {
			t.Errorf("a pass of the secret that stays is not known")
		}
	})
}

// A drain that found nowhere to go is given somewhere, and goes by it.
func TestADrainGoesByAnUpdate(t *testing.T) {
	withNode(t, server.Config{DrainGrace: time.Hour}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		drained := make(chan error, 1)
		go func() { drained <- n.Server.Drain(context.Background()) }()
		n.Advance(time.Minute)
		c.ExpectNothing()
		update(t, n, func(u *server.Tunable) { u.Alternates, u.DrainGrace = []string{"b:1"}, -1 })
		n.Advance(10 * time.Second)
		if m := c.ExpectGoAway(codec.CodeDraining); string(m.Alternates) != "b:1" {
			t.Errorf("told %+v", m)
		}
		c.Bye()
		n.Advance(time.Second)
		if err := <-drained; err != nil {
			t.Error(err)
		}
	})
}

// Updates from many goroutines, sensible and not, a thousand times a second, under clients that come
// and go: each holds or is refused whole, and the last is what clients learn.
func TestAThousandUpdatesASecond(t *testing.T) {
	withNode(t, server.Config{Alternates: []string{"a:1"}}, func(t *testing.T, n *servertest.Node) {
		stays := n.Join("alice")
		var all sync.WaitGroup
		for g := range 4 {
			all.Go(func() {
				for i := range 5000 {
					err := n.Server.Update(func(u *server.Tunable) {
						if u.MaxFrameRate != 2000 && u.MaxFrameRate != u.MaxConns {
							t.Errorf("half of an update is seen: %+v", u)
						}
						u.MaxFrameRate, u.MaxConns = 100+i, 100+i
						if i%7 == 0 {
							u.MaxWindow, u.MaxConns = -1, 5
						}
					})
					if (err != nil) != (i%7 == 0) {
						t.Errorf("update %d: %v", i, err)
					}
					time.Sleep(time.Duration(g+1) * time.Millisecond)
				}
			})
		}
		for range 20 {
			n.Advance(time.Second)
			c := n.Join("bob")
			c.Bye()
		}
		all.Wait()
		update(t, n, func(u *server.Tunable) { u.MaxFrameRate, u.Alternates = 4321, []string{"z:1"} })
		n.Advance(16 * time.Second)                    // a tick more for each of the two that are told
		if got := stays.Limits().Frames; got != 4321 { // told by itself, or with the answer to a heartbeat
			t.Errorf("the client knows a rate of %d", got)
		}
		late := n.Dial()
		late.Hello(codec.HelloMessage{ClientID: []byte("late")})
		if w := late.ExpectWelcome(); w.Limits != stays.Limits() || string(w.Alternates) != "z:1" {
			t.Errorf("WELCOME tells %+v and %q", w.Limits, w.Alternates)
		}
	})
}

// A drain waits for somewhere to go while it is told two thousand times a second that there is nowhere, and goes by
// the last that it is told.
func TestADrainUnderAThousandUpdatesASecond(t *testing.T) {
	withNode(t, server.Config{DrainGrace: -1, AdmitRate: 1e6}, func(t *testing.T, n *servertest.Node) {
		var clients []*servertest.Client
		for range 20 {
			clients = append(clients, n.Join("alice"))
		}
		update(t, n, func(u *server.Tunable) { u.DrainGrace = time.Hour })
		drained := make(chan error, 1)
		go func() { drained <- n.Server.Drain(context.Background()) }()
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				for i := range 3000 {
					if err := n.Server.Update(func(u *server.Tunable) { u.MaxFrameRate, u.DrainGrace = 100+i, time.Hour+time.Duration(i) }); err != nil {
						t.Error(err)
					}
					time.Sleep(time.Millisecond)
				}
			})
		}
		n.Advance(4 * time.Second)
		all.Wait()
		for _, c := range clients {
			for _, f := range c.Received() {
				if f.Type == codec.GoAway {
					t.Fatal("somebody is sent away within the grace")
				}
			}
		}
		update(t, n, func(u *server.Tunable) { u.Alternates, u.DrainGrace = []string{"b:1"}, -1 })
		n.Advance(5 * time.Second)
		for i, c := range clients {
			var told []string
			for _, f := range c.Received() {
				if m, err := codec.ParseGoAway(f.Payload); f.Type == codec.GoAway && err == nil {
					told = append(told, string(m.Alternates))
				}
			}
			if len(told) != 1 || told[0] != "b:1" {
				t.Errorf("client %d is told to go to %q", i, told)
			}
			c.Bye()
		}
		n.Advance(time.Second)
		if err := <-drained; err != nil {
			t.Error(err)
		}
	})
}
