/**
 * Pages that show results: one self-contained HTML file each, with charts in SVG and every number
 * as JSON inside. Nothing is fetched, and no script is needed to read them.
 */
package dev.murmuration.report;
