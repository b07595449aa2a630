//go:build !linux

package generator

import "errors"

func bare(dial) (map[string]float64, error) {
	return nil, errors.New("it measures epoll, which is Linux's")
}
