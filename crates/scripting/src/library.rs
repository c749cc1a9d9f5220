//! Libraries of functions: `FUNCTION LOAD` and what comes after it.
//!
//! A library is its code; running it once registers its functions. A failed load leaves everything as it was.

use crate::engine::{Answer, Ask, Engine, Kept, Purpose, Step, Versions};
use crate::flags::{self, Flags};
use hashbrown::HashMap;
use std::collections::BTreeMap;

/// The most slices of instructions that loading one library may take. Counted, not timed, so that it fails on every
/// node or on none.
const MOST_SLICES: usize = 500;

/// A function of a library.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Function {
    /// Its name.
    pub name: Vec<u8>,
    /// What it says it does.
    pub description: Option<Vec<u8>>,
    /// What it says about itself.
    pub flags: Flags,
    /// The compiled code.
    pub function: Kept,
}

/// A library.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Library {
    /// Its name.
    pub name: Vec<u8>,
    /// All of its code.
    pub code: Box<[u8]>,
    /// Its functions, in the order of their names.
    pub functions: Vec<Function>,
}

/// A line for the log: its level, 0 to 3, and its text.
pub type Line = (u8, Vec<u8>);

/// The text of a reply that says why libraries were not loaded.
pub type LoadError = String;

/// What `FUNCTION RESTORE` does about libraries that are there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Policy {
    /// They go.
    Flush,
    /// They stay; one of the same name is an error.
    #[default]
    Append,
    /// They stay, but for those of the same names.
    Replace,
}

/// All libraries and the state that their functions run in.
#[derive(Debug)]
pub struct Libraries {
    engine: Option<Box<Engine>>,
    /// The state is away, since something runs in it.
    lent: bool,
    versions: Versions,
    libraries: BTreeMap<Vec<u8>, Library>,
    /// The library that has each function.
    /// By their names in lower case.
    functions: HashMap<Vec<u8>, (Kept, Flags)>,
    bytes: usize,
    /// Lines for the log that libraries have written while they were loaded.
    lines: Vec<Line>,
}

impl Libraries {
    /// No libraries.
    #[must_use]
    pub fn new(versions: Versions) -> Libraries {
        Libraries {
            engine: None,
            lent: false,
            versions,
            libraries: BTreeMap::new(),
            functions: HashMap::new(),
            bytes: 0,
            lines: Vec::new(),
        }
    }

    fn engine(&mut self) -> Result<&mut Engine, LoadError> {
        if self.engine.is_none() && !self.lent {
            let engine = Engine::new(Purpose::Functions, self.versions);
            self.engine =
                Some(Box::new(engine.map_err(|error| format!("ERR No memory for functions: {error}"))?));
        }
        self.engine.as_deref_mut().ok_or_else(|| "ERR a function is running".into())
    }

    /// `FUNCTION LOAD`: returns the library's name.
    ///
    /// # Errors
    /// With a reply's text; then nothing has changed.
    pub fn load(&mut self, code: &[u8], replace: bool) -> Result<Vec<u8>, LoadError> {
        let name = flags::library_name(code)?;
        if !replace && self.libraries.contains_key(&name) {
            let name = String::from_utf8_lossy(&name);
            return Err(format!("ERR Library '{name}' already exists"));
        }
        let library = self.build(name.clone(), code)?;
        let replaced = |other: &[u8]| other == name;
        if let Some(taken) = self.taken(&library, replaced) {
            let error = format!("ERR Function {} already exists", String::from_utf8_lossy(&taken));
            self.drop_functions(&library.functions);
            return Err(error);
        }
        self.remove(&name);
        self.insert(library);
        Ok(name)
    }

    /// `FUNCTION RESTORE`, or loading a snapshot: all of these libraries or none.
    ///
    /// # Errors
    /// With a reply's text; then nothing has changed.
    pub fn restore(&mut self, codes: &[Vec<u8>], policy: Policy) -> Result<(), LoadError> {
        let mut staged: Vec<Library> = Vec::new();
        let result = codes.iter().try_for_each(|code| {
            let library = self.stage(code, policy, &staged)?;
            staged.push(library);
            Ok(())
        });
        if let Err(error) = result.and_then(|()| self.check_staged(policy, &staged)) {
            for library in staged {
                self.drop_functions(&library.functions);
            }
            return Err(error);
        }
        if policy == Policy::Flush {
            for name in self.libraries.keys().cloned().collect::<Vec<_>>() {
                self.remove(&name);
            }
        }
        for library in staged {
            self.remove(&library.name);
            self.insert(library);
        }
        Ok(())
    }

    /// One library of several that are to come together.
    fn stage(&mut self, code: &[u8], policy: Policy, staged: &[Library]) -> Result<Library, LoadError> {
        let name = flags::library_name(code)?;
        let clashes = policy == Policy::Append && self.libraries.contains_key(&name);
        if clashes || staged.iter().any(|other| other.name == name) {
            return Err(format!("ERR Library {} already exists", String::from_utf8_lossy(&name)));
        }
        self.build(name, code)
    }

    /// Whether every function of the libraries that are to come is theirs alone.
    fn check_staged(&self, policy: Policy, staged: &[Library]) -> Result<(), LoadError> {
        let replaced = |other: &[u8]| policy == Policy::Flush || staged.iter().any(|s| s.name == other);
        for (i, library) in staged.iter().enumerate() {
            let earlier = |f: &&Function| {
                staged[..i].iter().any(|s| s.functions.iter().any(|o| o.name.eq_ignore_ascii_case(&f.name)))
            };
            let twice = library.functions.iter().find(earlier).map(|f| f.name.clone());
            if let Some(taken) = twice.or_else(|| self.taken(library, replaced)) {
                return Err(format!("ERR Function {} already exists", String::from_utf8_lossy(&taken)));
            }
        }
        Ok(())
    }

    /// A function of `library` that another library has, those that `replaced` names aside.
    fn taken(&self, library: &Library, replaced: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
        let others = self.libraries.values().filter(|other| !replaced(&other.name));
        let mut names = others.flat_map(|other| &other.functions).map(|f| &f.name);
        names.find(|name| library.functions.iter().any(|f| f.name.eq_ignore_ascii_case(name))).cloned()
    }

    /// Compiles and runs a library's code.
    fn build(&mut self, name: Vec<u8>, code: &[u8]) -> Result<Library, LoadError> {
        let body = code.iter().position(|&b| b == b'\n').map_or(code, |end| &code[end..]);
        let engine = self.engine()?;
        let main = engine.compile(body).map_err(|message| {
            format!("ERR Error compiling function: {}", String::from_utf8_lossy(&message))
        })?;
        engine.begin_load(main);
        let (ended, lines) = run_load(engine);
        engine.forget(main);
        let registered = engine.take_registered();
        let mut functions: Vec<Function> = registered
            .into_iter()
            .map(|r| Function {
                name: r.name,
                description: r.description,
                flags: r.flags,
                function: r.function,
            })
            .collect();
        self.lines.extend(lines);
        if let Err(error) = ended.and_then(|()| check_names(&functions)) {
            self.drop_functions(&functions);
            return Err(error);
        }
        functions.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Library { name, code: code.into(), functions })
    }

    fn drop_functions(&mut self, functions: &[Function]) {
        if let Some(engine) = &mut self.engine {
            functions.iter().for_each(|f| engine.forget(f.function));
        }
    }

    fn insert(&mut self, library: Library) {
        for f in &library.functions {
            self.functions.insert(f.name.to_ascii_lowercase(), (f.function, f.flags));
        }
        self.bytes += size_of(&library);
        self.libraries.insert(library.name.clone(), library);
    }

    /// `FUNCTION DELETE`: `false` if there is no such library.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        let Some(library) = self.libraries.remove(name) else { return false };
        for f in &library.functions {
            self.functions.remove(&f.name.to_ascii_lowercase());
        }
        self.bytes -= size_of(&library);
        self.drop_functions(&library.functions);
        true
    }

    /// `FUNCTION FLUSH`: forgets all libraries, and their state with all that they have left in it.
    pub fn flush(&mut self) {
        *self = Libraries::new(self.versions);
    }

    /// The function of this name, in any case.
    #[must_use]
    pub fn find(&self, function: &[u8]) -> Option<(Kept, Flags)> {
        match function.iter().any(u8::is_ascii_uppercase) {
            true => self.functions.get(&function.to_ascii_lowercase()).copied(),
            false => self.functions.get(function).copied(),
        }
    }

    /// All libraries, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Library> {
        self.libraries.values()
    }

    /// The number of libraries and of functions.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        (self.libraries.len(), self.functions.len())
    }

    /// Bytes of the state, and of the libraries beside it.
    #[must_use]
    pub fn memory(&self) -> (usize, usize) {
        (self.engine.as_ref().map_or(0, |engine| engine.memory()), self.bytes)
    }

    /// Lines for the log that libraries have written while they were loaded.
    pub fn take_lines(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.lines)
    }

    /// Takes the state away for as long as a function runs in it.
    pub fn take_engine(&mut self) -> Option<Box<Engine>> {
        self.lent = self.engine.is_some();
        self.engine.take()
    }

    /// Gives it back. If all was flushed meanwhile, it goes with what was.
    pub fn return_engine(&mut self, engine: Box<Engine>) {
        if std::mem::take(&mut self.lent) {
            self.engine = Some(engine);
        }
    }
}

/// Runs a library's code to its end; gives what it wants logged as well.
fn run_load(engine: &mut Engine) -> (Result<(), LoadError>, Vec<Line>) {
    let (mut slices, mut lines, mut answer) = (0, Vec::new(), Answer::Go);
    loop {
        answer = match engine.resume(answer) {
            Step::Done { failed: false } => return (Ok(()), lines),
            Step::Done { failed: true } => {
                let text = match slices > MOST_SLICES {
                    true => "ERR FUNCTION LOAD timeout".into(),
                    false => String::from_utf8_lossy(engine.output()).into_owned(),
                };
                return (Err(format!("ERR Error registering functions: {text}")), lines);
            }
            Step::Asks(Ask::Pause) => {
                slices += 1;
                if slices > MOST_SLICES { Answer::Kill } else { Answer::Go }
            }
            Step::Asks(Ask::Log) => {
                if let ([level, text], _) = engine.request() {
                    lines.push((level.first().map_or(2, |b| b.wrapping_sub(b'0')), text.to_vec()));
                }
                Answer::Go
            }
            // Nothing else is there to be called while a library is being loaded.
            Step::Asks(_) => Answer::Go,
        };
    }
}

/// What can be wrong with what has been registered.
fn check_names(functions: &[Function]) -> Result<(), LoadError> {
    for (i, f) in functions.iter().enumerate() {
        if !flags::is_name(&f.name) {
            return Err("ERR Function names can only contain letters, numbers, or underscores(_) and must be at least \
                        one character long"
                .into());
        }
        if functions[..i].iter().any(|other| other.name.eq_ignore_ascii_case(&f.name)) {
            return Err("ERR Function already exists in the library".into());
        }
    }
    if functions.is_empty() { Err("ERR No functions registered".into()) } else { Ok(()) }
}

/// An estimate of what a library occupies beside the state.
fn size_of(library: &Library) -> usize {
    let functions: usize = library
        .functions
        .iter()
        .map(|f| {
            std::mem::size_of::<Function>() + 2 * f.name.len() + f.description.as_ref().map_or(0, Vec::len)
        })
        .sum();
    std::mem::size_of::<Library>() + library.code.len() + 2 * library.name.len() + functions
}
