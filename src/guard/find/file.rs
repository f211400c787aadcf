//! File names, which look like hosts: told by their endings.

/// Endings that files have and hosts in prose do not. Everything else that looks like
/// a host is one: a list of top-level domains would be out of date when it matters.
const ENDINGS: &[&str] = &[
    "js", "ts", "css", "htm", "html", "php", "asp", "aspx", "jsp", "pdf", "png", "jpg", "jpeg", "gif", "svg", "webp",
    "ico", "bmp", "csv", "tsv", "txt", "xml", "json", "yaml", "yml", "toml", "ini", "log", "doc", "docx", "xls",
    "xlsx", "ppt", "pptx", "odt", "exe", "dll", "msi", "dmg", "apk", "iso", "jar", "gz", "tgz", "bz2", "xz", "rar",
    "tar", "mp3", "mp4", "avi", "wav", "ttf", "woff", "woff2", "eml", "ics", "vcf", "db", "sql", "bak", "tmp", "conf",
    "cfg", "cnf", "config", "dat", "sig", "asc", "pem", "crt", "cer", "csr", "der", "p12", "p7b", "pfx", "key", "rb",
    "go", "psd", "eps", "rtf", "heic", "webm", "mkv", "msg", "mbox", "jks", "bat", "old", "bin", "har", "p7s", "vcs",
    "ldif", "mht", "mhtml", "shtml", "xhtml",
];
/// Endings of files that are top-level domains too: of what ends so only what somebody is
/// known to own is a host.
const DOUBTFUL: &[&str] = &["zip", "mov", "md", "sh", "py"];

/// Whether a last label is a file's ending.
pub fn is_ending(last: &str) -> bool {
    ENDINGS.contains(&last)
}

/// Whether a last label may be a file's ending, and may be a domain's.
pub fn may_be_ending(last: &str) -> bool {
    DOUBTFUL.contains(&last)
}

/// What stands before a file's endings: `example.com` of `example.com.tar.gz`.
pub fn stem(name: &str) -> &str {
    let mut stem = name;
    while let Some((before, _)) = stem.rsplit_once('.').filter(|(_, last)| is_ending(last)) {
        stem = before;
    }
    stem
}
