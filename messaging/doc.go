// Package messaging makes a messenger's core of an edge.
package messaging
