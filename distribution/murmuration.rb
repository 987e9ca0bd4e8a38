# A formula for Homebrew on Linux. It installs what is in the archive, into libexec: the launcher, a Java of its own that nothing else uses,
# jars, the native libraries for every x86-64 processor and the embedded model; in bin a link to the launcher, and bash's completion. It
# builds nothing and depends on nothing but a glibc that is new enough.
#
# It goes into a tap, as Formula/murmuration.rb; homepage, url and sha256 are those of a release, and there is none yet. Checked with
# "ruby -c" alone, for want of a Homebrew. Nothing has been built or tried on macOS, so there is nothing for it here.
class Murmuration < Formula
  desc "Scores text with reward models"
  homepage "https://EXAMPLE.INVALID/murmuration"
  url "https://EXAMPLE.INVALID/murmuration-0.1.0-linux-x86_64.tar.gz"
  version "0.1.0"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license all_of: ["Apache-2.0", "MIT", { "GPL-2.0-only" => { with: "Classpath-exception-2.0" } }]

  depends_on arch: :x86_64
  depends_on :linux

  # Java's cache counts for the jars as they are, and Java's own files are no leftovers.
  skip_clean "libexec"

  def install
    libexec.install Dir["*"]
    bin.install_symlink libexec/"bin/murmur"
    bash_completion.install_symlink libexec/"share/bash-completion/completions/murmur"
  end

  test do
    assert_match(/^7\.3/, shell_output("#{bin}/murmur score -q --prompt 'Hello?' --response 'Hi there, how can I help?'"))
  end
end
