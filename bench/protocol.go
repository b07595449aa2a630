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
func (c *Config) checkProtocol() error {
	isMQTT := c.Protocol == protocolMQTT
	switch {
	case !slices.Contains(protocols, c.Protocol):
		return usagef("--protocol: %q is unknown; there are %s", c.Protocol, protocolNames())
	case (c.Username != "" || c.Password != "") && !isMQTT:
		return usagef("--username and --password-file are for --protocol mqtt")
	case !c.foreign():
		return nil
	case c.AuthSecretFile != "":
		return usagef("--auth-secret-file makes tokens of our own protocol: it is not for --protocol %s", c.Protocol)
	case c.Spawn > 0:
		return usagef("--protocol %s: spawned nodes speak stormwheel; aim at a server of your own with --target", c.Protocol)
	case c.takes("kind") && c.storms() && c.Kind != "cut" && c.Kind != "flood":
		return c.noNodes()
	case isMQTT && c.Timeout != 0:
		return usagef("--timeout is not for mqtt: a broker's is 1.5 times the keepalive, which is --heartbeat in whole seconds")
	case c.Timeout < 0:
		return usagef("--timeout: %v is below 0", c.Timeout)
	case c.Timeout != 0 && c.Timeout <= c.Heartbeat:
		return usagef("--timeout: %v is not above --heartbeat %v, every client would be closed", c.Timeout, c.Heartbeat)
	case isMQTT && c.Heartbeat > maxKeepalive:
		return usagef("--heartbeat: %v is above %v, the longest keepalive of MQTT", c.Heartbeat, maxKeepalive)
	}
	if err := checkLogin(c.Username, c.Password); err != nil {
		return usagef("--username, --password-file: %w", err)
	}
	return nil
}

// noNodes says why a scenario that strikes a node cannot run against foreign servers.
func (c *Config) noNodes() error {
	return usagef("%s --kind %s strikes a node of its own, which speaks stormwheel: with --protocol %s there are --kind cut and flood, or run hold and strike the server yourself",
		c.Scenario, c.Kind, c.Protocol)
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
