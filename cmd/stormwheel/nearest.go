package main

import "slices"

// nearest is the word that takes the fewest changes.
func nearest(word string, all []string) string {
	return slices.MinFunc(all, func(a, b string) int { return changes(word, a) - changes(word, b) })
}

// changes is how many letters must be put in, left out or changed to make a of b.
func changes(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0]++
		for j := range len(b) {
			next := min(row[j]+1, row[j+1]+1, corner+1)
			if a[i] == b[j] {
				next = min(next, corner)
			}
			corner, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
