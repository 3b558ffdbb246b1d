// Functions for Python that take their arguments by name, into the members of a struct.
//
//     struct Sum { const float* x; int64_t count; };
//     m.attr("sum") = by_name<run>("sum", {GOSSAMER_FIELD(Sum, x), GOSSAMER_FIELD(Sum, count)});
//
// Kernels take up to thirty addresses and sizes. By position two of them can be swapped without notice;
// by name each is passed exactly once, and a missing or unknown one is an error. A call costs a few
// nanoseconds for each argument, since names are compared as interned pointers.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>

#include <exception>
#include <new>
#include <type_traits>
#include <vector>

namespace gossamer {

// A member of an argument struct: its name, and how to fill it.
struct Field {
    const char* name;
    void (*set)(void* arguments, PyObject* value);
};

namespace by_name_detail {

// An address is an integer. PyErr_Occurred reports an invalid value.
template <class V> void read(PyObject* value, V& to) {
    if constexpr (std::is_pointer_v<V>)
        to = reinterpret_cast<V>(PyLong_AsUnsignedLongLong(value));
    else if constexpr (std::is_same_v<V, bool>)
        to = PyObject_IsTrue(value) == 1;
    else if constexpr (std::is_floating_point_v<V>)
        to = static_cast<V>(PyFloat_AsDouble(value));
    else if constexpr (std::is_unsigned_v<V>)
        to = static_cast<V>(PyLong_AsUnsignedLongLong(value));
    else
        to = static_cast<V>(PyLong_AsLongLong(value));
}

template <class V> struct Member;
template <class A, class V> struct Member<V A::*> {
    using Arguments = A;
};

template <auto member> void set(void* arguments, PyObject* value) {
    using Arguments = typename Member<decltype(member)>::Arguments;
    read(value, static_cast<Arguments*>(arguments)->*member);
}

template <class F> struct Signature;
template <class R, class A> struct Signature<R (*)(const A&)> {
    using Result = R;
    using Arguments = A;
};

struct Function {
    std::vector<Field> fields;
    std::vector<PyObject*> names;  // interned, of the same order
    PyMethodDef method;
};

// Fill `arguments` from the values of a call; false with Python's error set if one is missing,
// unknown or of the wrong type.
bool fill(const Function& function, void* arguments, PyObject* const* values, Py_ssize_t positional,
          PyObject* names);

// A Python function that is never freed, as those of a module are not.
nanobind::object make(const char* name, std::vector<Field> fields,
                      PyObject* (*call)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*));

template <auto run>
PyObject* call(PyObject* self, PyObject* const* values, Py_ssize_t positional, PyObject* names) {
    using Result = typename Signature<decltype(run)>::Result;
    typename Signature<decltype(run)>::Arguments arguments{};
    const auto* function = static_cast<const Function*>(PyCapsule_GetPointer(self, nullptr));
    if (!fill(*function, &arguments, values, positional, names)) return nullptr;
    try {
        if constexpr (std::is_void_v<Result>) {
            const nanobind::gil_scoped_release unlocked;
            run(arguments);
        } else {
            const auto result = [&] {
                const nanobind::gil_scoped_release unlocked;
                return run(arguments);
            }();
            return nanobind::cast(result).release().ptr();
        }
    } catch (const std::bad_alloc&) {
        return PyErr_NoMemory();
    } catch (const std::exception& error) {
        PyErr_SetString(PyExc_RuntimeError, error.what());
        return nullptr;
    }
    return nanobind::none().release().ptr();
}

}  // namespace by_name_detail

#define GOSSAMER_FIELD(Arguments, member) \
    ::gossamer::Field { #member, ::gossamer::by_name_detail::set<&Arguments::member> }

// The Python function `name` that fills a struct by name and calls run(struct) without the GIL.
template <auto run> nanobind::object by_name(const char* name, std::vector<Field> fields) {
    return by_name_detail::make(name, std::move(fields), by_name_detail::call<run>);
}

}  // namespace gossamer
