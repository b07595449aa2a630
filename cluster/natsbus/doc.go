// Package natsbus is a cluster.Bus over NATS: with a server within each node, so that there is nothing else to
// install, or by servers that there are already.
//
// The server within a node takes other nodes at Config.Listen alone. They show each other a certificate made of
// the cluster's secret, or one of their own; without either it listens on loopback only. Its clients, of which
// the Bus is the only one, need a random password and come from loopback. Build tag nonats leaves it out.
//
// What is published within a moment to one subject leaves as one NATS message, in which each body follows its
// length as an unsigned varint.
package natsbus
