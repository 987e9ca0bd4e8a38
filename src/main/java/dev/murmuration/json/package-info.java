/** JSON from files that may be damaged or hostile. */
package dev.murmuration.json;
