package admin

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/server"
)

// tuned is a node that can be changed, and a handler for it.
func tuned(t *testing.T) (*server.Server, *slog.LevelVar, http.Handler) {
	t.Helper()
	level := new(slog.LevelVar)
	s, err := server.New(server.Config{LogLevel: level, AdmitRate: 77, Alternates: []string{"b:1"}, ClusterSecrets: [][]byte{[]byte(strings.Repeat("s", server.MinSecret))}})
	if err != nil {
		t.Fatal(err)
	}
	return s, level, Handler(fine(), Config{Settings: s})
}

func patch(h http.Handler, host, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("PATCH", "/settings", strings.NewReader(body))
	r.Host = host
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Every field is there, but for the secrets, which no HTTP client is to see.
func TestSettingsAreTheTunable(t *testing.T) {
	fields := reflect.TypeFor[settings]()
	for f := range reflect.TypeFor[server.Tunable]().Fields() {
		if _, ok := fields.FieldByName(f.Name); ok == (f.Name == "ClusterSecrets") {
			t.Errorf("%s: in settings %v", f.Name, ok)
		}
	}
	s, _, h := tuned(t)
	before := s.Tunable()
	if w := patch(h, "localhost:7001", "{}"); w.Code != 200 || strings.Contains(w.Body.String(), "ssss") {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
	if now := s.Tunable(); !reflect.DeepEqual(now, before) {
		t.Errorf("no change makes %+v\nof %+v", now, before)
	}
}

func TestPatchChangesWhatItNames(t *testing.T) {
	s, level, h := tuned(t)
	want := s.Tunable()
	want.Alternates, want.MaxWindow, want.MaxFrameRate = []string{"c:1", "d:1"}, 90*time.Second, -1
	want.LogLevel = new(slog.LevelDebug)
	w := patch(h, "127.0.0.1:7001", `{"alternates":["c:1","d:1"],"max_window":"1m30s","max_frame_rate":-1,"log_level":"debug"}`)
	if w.Code != 200 || level.Level() != slog.LevelDebug {
		t.Fatalf("%d, level %v: %s", w.Code, level.Level(), w.Body)
	}
	if now := s.Tunable(); !reflect.DeepEqual(now, want) {
		t.Errorf("%+v\nwant %+v", now, want)
	}
	var told struct {
		Window string  `json:"max_window"`
		Rate   float64 `json:"admit_rate"`
		Level  string  `json:"log_level"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil || told.Window != "1m30s" || told.Rate != 77 || told.Level != "debug" {
		t.Errorf("%v: %s", err, w.Body)
	}
}

func TestPatchThatIsWrongChangesNothing(t *testing.T) {
	s, level, h := tuned(t)
	before := s.Tunable()
	for _, tt := range []struct {
		name, host, body string
		code             int
		says             string
	}{
		{"no JSON", "localhost", `{"max_conns":`, 400, "settings"},
		{"nothing", "localhost", ``, 400, "settings"},
		{"a list", "localhost", `[]`, 400, "settings"},
		{"two objects", "localhost", `{"max_conns":5}{"max_conns":6}`, 400, "nothing behind it"},
		{"a name that is none", "localhost", `{"max_conns":5,"max_frame":9}`, 400, "max_frame"},
		{"secrets", "localhost", `{"cluster_secrets":[]}`, 400, "cluster_secrets"},
		{"a number for a time", "localhost", `{"max_window":60}`, 400, "max_window"},
		{"what Config refuses", "localhost", `{"max_conns":5,"admit_rate":-1,"log_level":"error"}`, 400, "admit_rate must be"},
		{"what a member takes", "localhost", `{"max_window":60}`, 400, `max_window takes a duration as text, as "90s", not 60`},
		{"what another takes", "localhost", `{"max_conns":"5"}`, 400, "max_conns takes a whole number"},
		{"no duration", "localhost", `{"drain_grace":"soon"}`, 400, "drain_grace takes a duration"},
		{"a level that is none", "localhost", `{"log_level":"loud"}`, 400, `log_level takes "debug", "info"`},
		{"too few", "localhost", `{"max_conns":-1}`, 400, "max_conns must be positive"},
		{"a unix socket", "localhost", `{"alternates":["unix:/x"]}`, 400, "unix:/x"},
		{"no port", "localhost", `{"alternates":["b:0"]}`, 400, "b:0"},
		{"no host", "localhost", `{"alternates":[":7000"]}`, 400, ":7000"},
		{"no level", "localhost", `{"max_conns":5,"log_level":"loud"}`, 400, "loud"},
		{"much", "localhost", `{"alternates":["` + strings.Repeat("x", maxSettings) + `"]}`, 400, "too large"},
		{"a page whose name leads here", "evil.example:7001", `{"max_conns":5}`, 403, "localhost"},
		{"another machine's address", "192.0.2.1:7001", `{"max_conns":5}`, 403, "localhost"},
	} {
		w := patch(h, tt.host, tt.body)
		if w.Code != tt.code || !strings.Contains(w.Body.String(), tt.says) {
			t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
		}
		if now := s.Tunable(); !reflect.DeepEqual(now, before) || level.Level() != slog.LevelInfo {
			t.Errorf("%s: changed to %+v", tt.name, now)
		}
	}
	for range 20 { // members are read in no order
		w := patch(h, "localhost", `{"log_level":"error","max_conns":"5"}`)
		if w.Code != 400 || level.Level() != slog.LevelInfo {
			t.Fatalf("a level beside what is wrong: %d, the level is %v", w.Code, level)
		}
	}
	if w := patch(Handler(fine(), Config{}), "localhost", "{}"); w.Code != 404 {
		t.Errorf("without settings: %d", w.Code)
	}
	for _, host := range []string{"[::1]:7001", "::1", "127.0.0.1", "localhost"} {
		if w := patch(h, host, "{}"); w.Code != 200 {
			t.Errorf("%s: %d", host, w.Code)
		}
	}
}

// What is shown is in the words that are taken, and what holds.
func TestSettingsAreShownAsTheyAreTaken(t *testing.T) {
	_, _, h := tuned(t)
	w := patch(h, "localhost", `{"alternates":[],"log_level":"info"}`)
	for _, want := range []string{`"alternates":[]`, `"log_level":"info"`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s is not in %s", want, w.Body)
		}
	}
	if want := fine().Stats().MaxConns; !strings.Contains(w.Body.String(), fmt.Sprintf(`"max_conns":%d,`, want)) {
		t.Errorf("max_conns is not %d in %s", want, w.Body)
	}
}
