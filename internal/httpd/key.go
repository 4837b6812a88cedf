package httpd

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// HasKey reports whether a request carries the key, as "Authorization: Bearer KEY". An
// empty key admits all requests. HasKey compares hashes in constant time, so that its
// duration reveals nothing about the key.
func HasKey(r *http.Request, key string) bool {
	if key == "" {
		return true
	}
	given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	want, got := sha256.Sum256([]byte(key)), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}
