package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/internal/token"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/hook"
	"github.com/stormwheel/stormwheel/server"
)

// hookFlags say which back end owns the node's rules.
type hookFlags struct {
	Hook           string        `placeholder:"URL" help:"Ask a back end by HTTP who may come in and what clients may do, and tell it what happens (docs/HOOKS.md). Default: none."`
	HookSecretFile string        `type:"path" placeholder:"FILE" help:"Secrets, one a line, by each of which calls to --hook are signed. Default: they are not."`
	HookEvents     []string      `placeholder:"NAME" help:"What it is asked and told: login; with --messages also message, join, presence, online, offline, undelivered, delivered, refused, expired. Default: login."`
	HookTimeout    time.Duration `default:"2s" help:"How long its answer may take, 10ms to 3s; beyond it clients are told to try later."`
}

// hookLogin is the name of what --auth-secret-file decides otherwise.
const hookLogin = "login"

// hookPolicies are the names of what messaging's Policy decides.
var hookPolicies = map[string][]envelope.Kind{
	"message":  {envelope.ToUser, envelope.ToRoom},
	"join":     {envelope.Join},
	"presence": {envelope.Watch, envelope.Ask},
}

// hookEvent is the kind of that name; 0: there is none.
func hookEvent(name string) messaging.EventKind {
	for k := messaging.EventOnline; k <= messaging.EventExpired; k++ {
		if k.String() == name {
			return k
		}
	}
	return 0
}

func (f *hookFlags) names() []string {
	if f.HookEvents == nil {
		return []string{hookLogin}
	}
	return f.HookEvents
}

func (f *hookFlags) check(c *serveCmd) error {
	if f.Hook == "" {
		if f.HookSecretFile != "" || f.HookEvents != nil {
			return errors.New("--hook-secret-file and --hook-events need --hook")
		}
		return nil
	}
	if err := (hook.Config{URL: f.Hook}).Validate(); err != nil {
		return hookError(err)
	}
	if f.HookTimeout < 10*time.Millisecond || f.HookTimeout > hook.MaxTimeout {
		return fmt.Errorf("--hook-timeout must be within 10ms and %v, not %v", hook.MaxTimeout, f.HookTimeout)
	}
	for _, name := range f.names() {
		switch {
		case name == hookLogin && c.AuthSecretFile != "":
			return errors.New("--hook decides about logins, and so does --auth-secret-file: leave it out, or login out of --hook-events")
		case name == hookLogin:
		case hookPolicies[name] == nil && hookEvent(name) == 0:
			return fmt.Errorf("--hook-events: there is no %q", name)
		case !c.messageFlags.on():
			return fmt.Errorf("--hook-events %s needs --messages memory or bolt:FILE", name)
		}
	}
	return nil
}

// hookError words an error of package hook.
func hookError(err error) error {
	return errors.New("--hook: " + strings.TrimPrefix(err.Error(), "hook: "))
}

// readHookSecrets reads a file of secrets, as text or behind whsec_.
func readHookSecrets(file string) ([][]byte, error) {
	lines, err := token.ReadSecrets(file)
	if err != nil {
		return nil, err
	}
	for i, line := range lines {
		if lines[i], err = hook.Secret(string(line)); err == nil && len(lines[i]) < hook.MinSecret {
			err = hook.ErrSecret
		}
		if err != nil {
			return nil, fmt.Errorf("%s: secret %d: %s", file, i+1, strings.TrimPrefix(err.Error(), "hook: "))
		}
	}
	return lines, nil
}

// hooks are the back end of a node. Nil: there is none.
type hooks struct {
	backEnd *hook.BackEnd
	names   []string
	timeout time.Duration
}

func (f *hookFlags) open(node string, secrets *secrets, log *slog.Logger) (*hooks, error) {
	if f.Hook == "" {
		return nil, nil
	}
	h := &hooks{names: f.names(), timeout: f.HookTimeout}
	cfg := hook.Config{URL: f.Hook, Node: node, Secrets: secrets.hook, Timeout: f.HookTimeout, Logger: log}
	for _, name := range h.names {
		if kind := hookEvent(name); kind != 0 {
			cfg.Events = append(cfg.Events, kind)
		}
	}
	var err error
	if h.backEnd, err = hook.New(cfg); err != nil {
		return nil, usageError{hookError(err)}
	}
	secrets.signer = h.backEnd
	return h, nil
}

// admit has the back end decide about logins, if it is to.
func (h *hooks) admit(cfg *server.Config) {
	if h != nil && slices.Contains(h.names, hookLogin) {
		cfg.Auth, cfg.AuthWorkers = h.backEnd, hook.DefaultCalls
	}
}

// rule has the back end decide what clients may do, and be told what happens.
func (h *hooks) rule(cfg *messaging.Config) {
	if h == nil {
		return
	}
	for _, name := range h.names {
		cfg.PolicyKinds = append(cfg.PolicyKinds, hookPolicies[name]...)
		if hookEvent(name) != 0 {
			cfg.Events = h.backEnd.Event
		}
	}
	if len(cfg.PolicyKinds) > 0 {
		cfg.Policy, cfg.PolicyTimeout, cfg.PolicyWorkers = h.backEnd.Policy, h.timeout, hook.DefaultCalls
	}
}

// start names the node to the back end, and begins to tell it what happens.
func (h *hooks) start(node string) {
	if h != nil {
		h.backEnd.Start(node)
	}
}

// hooksTime bounds how long the end waits for the back end to take the last events.
const hooksTime = 5 * time.Second

// close tells the back end what it has not been told. The hub is closed. It ends early at another signal.
func (h *hooks) close(log *slog.Logger, signals <-chan os.Signal) {
	if h == nil {
		return
	}
	if err := end(h.backEnd.Close, hooksTime, log, signals); err != nil {
		log.Warn("the back end does not know all that happened", "err", err)
	}
}
