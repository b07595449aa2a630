package bench

import (
	"fmt"
	"slices"
	"strings"
)

// A protocol is what the servers of a run speak. Every client is a link whatever they
// speak, so that its retries, heartbeats and liveness are the same; for a foreign protocol
// a translator stands where bytes go to the socket and come from it.
const (
	protocolOwn  = "stormwheel"
	protocolEcho = "tcp-echo"
	protocolMQTT = "mqtt"
)

// protocols are all of them. A new one is a file with its translator, a name here and a
// case in newTranslator.
var protocols = []string{protocolOwn, protocolEcho, protocolMQTT}

func protocolNames() string { return strings.Join(protocols, ", ") }

// foreign reports whether the servers speak another protocol than ours.
func (c *Config) foreign() bool { return c.Protocol != protocolOwn }

// checkProtocol returns one sentence about the first thing that makes no sense with the
// protocol.
func (p *plan) checkProtocol() error {
	isMQTT := p.Protocol == protocolMQTT
	switch {
	case !slices.Contains(protocols, p.Protocol):
		return usagef("--protocol: %q is unknown; there are %s", p.Protocol, protocolNames())
	case (p.Username != "" || p.Password != "") && !isMQTT:
		return usagef("--username and --password-file are for --protocol mqtt")
	case !p.foreign():
		return nil
	case p.AuthSecretFile != "":
		return usagef("--auth-secret-file makes tokens of our own protocol: it is not for --protocol %s", p.Protocol)
	case p.Spawn > 0:
		return usagef("--protocol %s: spawned nodes speak stormwheel; aim at a server of your own with --target", p.Protocol)
	case p.scenario.name == "trickle":
		return usagef("trickle counts the bytes of our own frames: it is not for --protocol %s", p.Protocol)
	case p.storms() && p.Kind != "cut" && p.Kind != "flood" && p.Kind != "":
		return p.noNodes()
	case isMQTT && p.Timeout != 0:
		return usagef("--timeout is not for mqtt: a broker's is 1.5 times the keepalive, which is --heartbeat in whole seconds")
	case p.Timeout < 0:
		return usagef("--timeout: %v is below 0", p.Timeout)
	case p.Timeout != 0 && p.Timeout <= p.Heartbeat:
		return usagef("--timeout: %v is not above --heartbeat %v, every client would be closed", p.Timeout, p.Heartbeat)
	case p.Protocol == protocolEcho && p.scenario.name == "silent" && p.Timeout == 0:
		return usagef("%s needs a server that drops clients who do not speak: say after how long this one does with --timeout", p.scenario.name)
	case isMQTT && p.Heartbeat > maxKeepalive:
		return usagef("--heartbeat: %v is above %v, the longest keepalive of MQTT", p.Heartbeat, maxKeepalive)
	}
	if err := checkLogin(p.Username, p.Password); err != nil {
		return usagef("--username, --password-file: %w", err)
	}
	return nil
}

// noNodes says why a scenario that strikes a node cannot run against foreign servers.
func (p *plan) noNodes() error {
	return usagef("%s --kind %s strikes a node of its own, which speaks stormwheel: with --protocol %s there are --kind cut and flood, or run hold and strike the server yourself",
		p.scenario.name, p.Kind, p.Protocol)
}

// keepaliveNote tells what became of --heartbeat; nothing if the protocol has no say in it.
func (c *Config) keepaliveNote() string {
	if c.Protocol != protocolMQTT {
		return ""
	}
	whole := keepalive(c.Heartbeat)
	note := fmt.Sprintf("keepalive %v", whole)
	if whole != c.Heartbeat {
		note += fmt.Sprintf(" (--heartbeat %v, rounded up to whole seconds)", c.Heartbeat)
	}
	return note + fmt.Sprintf("; the broker is to drop who says nothing for %v", keepaliveTimeout(c.Heartbeat))
}
