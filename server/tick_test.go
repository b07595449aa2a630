package server

import (
	"context"
	"log/slog"
	"testing"
)

// Who is told that a node is ready finds in its log that it listens.
func TestANodeSaysThatItListensBeforeItIsReady(t *testing.T) {
	said := &listening{Handler: slog.DiscardHandler}
	s, err := New(Config{Listen: "127.0.0.1:0", Logger: slog.New(said)})
	if err != nil {
		t.Fatal(err)
	}
	said.node = s
	start(t, s)
	if !said.first {
		t.Error("it was ready before")
	}
}

// listening is a log that notes whether a node was not ready when it said that it listens.
type listening struct {
	slog.Handler
	node  *Server
	first bool
}

func (l *listening) Enabled(context.Context, slog.Level) bool { return true }

func (l *listening) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "listening" {
		l.first = !l.node.isReady()
	}
	return nil
}
